/** One of our own programs, on the Node that runs this: ready when it prints a JSON line with `"ready":true`. */
import { join } from 'node:path';
import { onDisk } from '../../platform/on-disk.ts';
import type { Environment, Report } from './programs/service-error.js';
import { type RunningProcess, runProcess, untilHealthy } from './run-process.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Long enough for a machine that is busy with other work: it ends a process that hangs. */
const READY_MS = 300_000;

/**
 * MiB. A start fills a young generation of Node's first size again and again, which a collector then searches: these
 * take a fifth of a worker's CPU at its start, and nothing of it later.
 */
export const YOUNG_GENERATION = ['--min-semi-space-size=16', '--max-semi-space-size=32'];

export interface NodeProgram {
  readonly name: string;
  /** Path of the program, from the root of the project, as in a clone. */
  readonly file: string;
  readonly args?: readonly string[];
  /** A module that is loaded before the program, in its threads too. */
  readonly preload?: string;
  readonly dataDir: string;
  readonly env: Environment;
  readonly report: Report;
}

interface RunningProgram {
  readonly process: RunningProcess;
  /** What the ready line says; undefined for a program that serves no HTTP. */
  readonly url: string | undefined;
}

/** Throws ServiceError with the end of the log when the program dies or is not ready in time. */
export async function runNode({
  name,
  file,
  args = [],
  preload,
  dataDir,
  env,
  report,
}: NodeProgram): Promise<RunningProgram> {
  let ready: { url?: string } | undefined;
  const running = await runProcess({
    name,
    command: process.execPath,
    args: [
      ...YOUNG_GENERATION,
      ...(preload === undefined ? [] : ['--import', pathOf(preload)]),
      pathOf(file),
      ...args,
    ],
    dataDir,
    // What Node compiles of our modules is kept for the next start.
    env: { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(dataDir, 'compiled'), ...env },
    report,
    onLine: (line) => {
      ready ??= readyOf(line);
    },
  });
  const fix = `Read ${running.logPath}; the last lines are above.`;
  await untilHealthy(name, running, { deadlineMs: READY_MS, fix }, async () => ready !== undefined);
  return { process: running, url: ready?.url };
}

function pathOf(file: string): string {
  return onDisk(join(ROOT, file));
}

function readyOf(line: string): { url?: string } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('ready' in value) || value.ready !== true)
      return undefined;
    return 'url' in value && typeof value.url === 'string' ? { url: value.url } : {};
  } catch {
    return undefined;
  }
}
