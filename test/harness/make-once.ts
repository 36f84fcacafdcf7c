/** What several suites need and the first one makes. Each runs in its own process; the others wait until it is made. */
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { birthOf } from '../../tools/services/pid-file.ts';
import { PROJECT_ROOT } from './child-process.ts';
import { waitFor } from './wait-for.ts';

const TURN_WITHIN_MS = 600_000;
/** What tests keep for the next run. */
export const KEPT_IN = join(PROJECT_ROOT, '.unbroken');

/** @param path exists when it is made: `make` lets it appear whole. */
export async function makeOnce(path: string, make: () => Promise<void>): Promise<void> {
  if (existsSync(path)) return;
  await inTurn(path, async () => {
    if (!existsSync(path)) await make();
  });
}

/**
 * Waits until no other process does this work. It saves work, and excludes nothing: when a process is killed in its
 * turn, two others may follow it at the same time.
 */
export async function inTurn(path: string, work: () => Promise<void>): Promise<void> {
  const claim = `${path}.maker`;
  mkdirSync(dirname(claim), { recursive: true });
  await waitFor(`the turn for ${path}`, () => hasClaimed(claim), TURN_WITHIN_MS);
  try {
    await work();
  } finally {
    rmSync(claim, { force: true });
  }
}

/** A link, because it appears with its content. */
function hasClaimed(claim: string): boolean {
  const ours = `${claim}.${process.pid}`;
  writeFileSync(ours, `${process.pid} ${birthOf(process.pid)}`);
  try {
    linkSync(ours, claim);
    return true;
  } catch {
    if (!isMakerAlive(claim)) rmSync(claim, { force: true });
    return false;
  } finally {
    rmSync(ours);
  }
}

function isMakerAlive(claim: string): boolean {
  try {
    const [pid, birth] = readFileSync(claim, 'utf8').split(' ');
    return birthOf(Number(pid)) === birth;
  } catch {
    // It has just ended.
    return true;
  }
}
