/**
 * Records which processes run in a data directory: one file per process, with its pid and start time, because the
 * kernel may reuse a pid. So after a hard kill of `npm start`, the next one ends exactly the processes left over.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Report, ServiceError } from './programs/service-error.js';

const TERM_GRACE_MS = 8_000;
const KILL_GRACE_MS = 2_000;
const POLL_MS = 25;

const identitySchema = z.object({ pid: z.int().positive(), birth: z.string() });
const pidFileSchema = z.object({ process: identitySchema, owner: identitySchema });
type Identity = z.infer<typeof identitySchema>;

/** When the process was born, in a form that is only good for comparison; undefined when it is dead. */
export function birthOf(pid: number): string | undefined {
  try {
    if (existsSync('/proc/self/stat')) {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name in parentheses may hold spaces, so fields are counted after it: state is the 1st, start time the 20th.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

export function recordProcess(dataDir: string, name: string, pid: number): void {
  const birth = birthOf(pid);
  const ownBirth = birthOf(process.pid);
  if (birth === undefined || ownBirth === undefined) return;
  mkdirSync(join(dataDir, 'run'), { recursive: true });
  const content = { process: { pid, birth }, owner: { pid: process.pid, birth: ownBirth } };
  writeFileSync(pathOf(dataDir, name), JSON.stringify(content));
}

/** The process that runs as `name` in `dataDir`; undefined where none does. */
export function runningPid(dataDir: string, name: string): number | undefined {
  const { data } = pidFileSchema.safeParse(readJson(pathOf(dataDir, name)));
  return data !== undefined && isAlive(data.process) ? data.process.pid : undefined;
}

export function forgetProcess(dataDir: string, name: string): void {
  rmSync(pathOf(dataDir, name), { force: true });
}

/**
 * Makes `name` free to start in `dataDir`: ends what a killed owner left over.
 * Throws ServiceError when a living owner other than this process still runs it.
 */
export async function clearLeftover(dataDir: string, name: string, report: Report): Promise<void> {
  const path = pathOf(dataDir, name);
  if (!existsSync(path)) return;
  const parsed = pidFileSchema.safeParse(readJson(path));
  if (parsed.success && isAlive(parsed.data.process)) {
    const { process: leftover, owner } = parsed.data;
    if (isAlive(owner)) {
      throw new ServiceError(
        `${name} already runs in ${dataDir} (pid ${leftover.pid}, started by pid ${owner.pid}).`,
        'Stop that one first (Ctrl-C), or set UNBROKEN_DATA_DIR to another folder.',
      );
    }
    report(`${name}: ending the one that a killed run left over (pid ${leftover.pid})`);
    await end(leftover);
  }
  rmSync(path, { force: true });
}

async function end(identity: Identity): Promise<void> {
  for (const [signal, graceMs] of [
    ['SIGTERM', TERM_GRACE_MS],
    ['SIGKILL', KILL_GRACE_MS],
  ] as const) {
    if (!isAlive(identity)) return;
    process.kill(identity.pid, signal);
    const deadline = Date.now() + graceMs;
    while (isAlive(identity) && Date.now() < deadline) await sleep(POLL_MS);
  }
}

function isAlive(identity: Identity): boolean {
  return birthOf(identity.pid) === identity.birth;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function pathOf(dataDir: string, name: string): string {
  return join(dataDir, 'run', `${name}.json`);
}
