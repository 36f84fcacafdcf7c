/** Starts one child process with a log file, watches it until it is healthy, and ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { clearLeftover, forgetProcess, recordProcess } from './pid-file.ts';
import { type Environment, type Report, reasonOf, ServiceError } from './programs/service-error.js';
import { tiedToParent } from './tied-to-parent.ts';

const LOG_BYTES = 10 * 1024 * 1024;
const LOG_TAIL_LINES = 15;
const STOP_GRACE_MS = 8_000;
const HEALTH_POLL_MS = 40;

interface ProcessSpec {
  /** Names the log file, the pid file and the process in what is reported. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly dataDir: string;
  readonly cwd?: string;
  readonly env?: Environment;
  readonly report: Report;
  /** Gets each line of standard output; without it the output goes to the log. */
  readonly onLine?: (line: string) => void;
}

export interface RunningProcess {
  readonly pid: number;
  readonly logPath: string;
  /** Resolves, never rejects, with "exit code 1" or "signal SIGKILL". */
  readonly exited: Promise<string>;
  /** SIGTERM, then SIGKILL after the grace. Safe to call twice. */
  stop(graceMs?: number): Promise<void>;
}

/** The process ended before it was healthy. */
export class EndedWhileStartingError extends ServiceError {}

/** Throws ServiceError when the program cannot be started or one of the same name runs in `dataDir`. */
export async function runProcess(spec: ProcessSpec): Promise<RunningProcess> {
  await clearLeftover(spec.dataDir, spec.name, spec.report);
  const logPath = openableLog(spec);
  const log = openSync(logPath, 'a');
  const [command, args] = tiedToParent(spec.command, spec.args);
  const child = spawn(command, args, {
    cwd: spec.cwd,
    env: { ...process.env, ...spec.env },
    // Its own process group: Ctrl-C in the terminal reaches us alone, and we end the children in order.
    detached: true,
    stdio: ['ignore', spec.onLine === undefined ? log : 'pipe', log],
  });
  closeSync(log);
  const exited = exitOf(child);
  const pid = await spawned(child, spec.name);
  recordProcess(spec.dataDir, spec.name, pid);
  if (child.stdout !== null && spec.onLine !== undefined) {
    createInterface({ input: child.stdout }).on('line', spec.onLine);
  }
  let stopping: Promise<void> | undefined;
  const stop = async (graceMs: number) => {
    child.kill('SIGTERM');
    const grace = new AbortController();
    const overdue = sleep(graceMs, 'overdue', { signal: grace.signal }).catch(() => 'exited');
    if ((await Promise.race([exited, overdue])) === 'overdue') child.kill('SIGKILL');
    await exited;
    grace.abort();
    forgetProcess(spec.dataDir, spec.name);
  };
  return {
    pid,
    logPath,
    exited,
    stop: (graceMs = STOP_GRACE_MS) => {
      stopping ??= stop(graceMs);
      return stopping;
    },
  };
}

/**
 * Polls `isHealthy` until it is true. A process that dies or misses the deadline is ended, and the error carries
 * the last lines of its log.
 */
export async function untilHealthy(
  name: string,
  running: RunningProcess,
  limits: { readonly deadlineMs: number; readonly fix: string },
  isHealthy: () => Promise<boolean>,
): Promise<void> {
  let end: string | undefined;
  void running.exited.then((reason) => {
    end = reason;
  });
  const deadline = Date.now() + limits.deadlineMs;
  let lastFailure = '';
  while (end === undefined && Date.now() < deadline) {
    try {
      if (await isHealthy()) return;
    } catch (error) {
      lastFailure = reasonOf(error);
    }
    await Promise.race([sleep(HEALTH_POLL_MS), running.exited]);
  }
  const endedBefore = end;
  await running.stop();
  const tail = logTail(running.logPath);
  if (endedBefore !== undefined) {
    throw new EndedWhileStartingError(`${name} ended while it started (${endedBefore}).${tail}`, limits.fix);
  }
  const reason = lastFailure === '' ? '' : ` (${lastFailure})`;
  throw new ServiceError(
    `${name} was not healthy after ${limits.deadlineMs / 1000} s${reason}.${tail}`,
    limits.fix,
  );
}

/** The last lines of a log, as they are appended to an error. */
export function logTail(logPath: string): string {
  if (!existsSync(logPath)) return '';
  const lines = readFileSync(logPath, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES);
  return `\n  The end of ${logPath}:\n${lines.map((line) => `    ${line}`).join('\n')}`;
}

function openableLog(spec: ProcessSpec): string {
  const path = join(spec.dataDir, 'logs', `${spec.name}.log`);
  try {
    mkdirSync(join(spec.dataDir, 'logs'), { recursive: true });
    if (existsSync(path) && statSync(path).size > LOG_BYTES) renameSync(path, `${path}.1`);
  } catch (error) {
    throw new ServiceError(
      `Cannot write to the data directory ${spec.dataDir}: ${reasonOf(error)}.`,
      'Make it writable for you, or set UNBROKEN_DATA_DIR to another folder.',
      { cause: error },
    );
  }
  return path;
}

function exitOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
    child.once('error', (error) => resolve(error.message));
  });
}

function spawned(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (error) => {
      const fix = 'Check that the program exists and may be executed.';
      reject(new ServiceError(`${name} could not be started: ${error.message}.`, fix, { cause: error }));
    });
  });
}
