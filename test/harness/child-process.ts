/** One real process of the system under test: started, awaited until it is ready, killed, ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { YOUNG_GENERATION } from '../../tools/services/run-node.ts';
import { tiedToParent } from '../../tools/services/tied-to-parent.ts';
import { compileCacheOf, programOf } from './bundled-programs.ts';
import { waitFor } from './wait-for.ts';

export const PROJECT_ROOT = fileURLToPath(new URL('../..', import.meta.url));
const READY_WITHIN_MS = 240_000;
const END_WITHIN_MS = 10_000;
const LOG_LINES_KEPT = 5_000;
/** States of a thread on Linux that runs no more: stopped, traced, dead. */
const STOPPED = new Set(['T', 't', 'Z', 'X']);

export interface ChildHandle {
  readonly name: string;
  readonly pid: number;
  /** Empty for a process that serves nothing. */
  readonly url: string;
  /** The last lines that it printed. */
  log(): string;
  isRunning(): boolean;
  /** null while it runs, and where a signal ended it. */
  exitCode(): number | null;
  /** Sends a signal; resolves when the process is gone, for SIGSTOP when it has stopped, and for SIGCONT at once. */
  signal(name: NodeJS.Signals): Promise<void>;
  /** Asks it to end, and kills it where it does not. */
  end(): Promise<void>;
}

/** The suites keep all processors busy: a collector of several threads makes a start a fifth dearer, and no faster. */
const COLLECTOR = [...YOUNG_GENERATION, '--single-threaded-gc'];

/**
 * Starts `node <entry>`, with options of Node where `entry` is a list that has some, and resolves with the line
 * `{"ready":true,"url":...}` that it prints.
 */
export async function startChild(
  name: string,
  entry: string | readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd = PROJECT_ROOT,
): Promise<ChildHandle> {
  const args = COLLECTOR.concat(entry).map(programOf);
  const child = spawn(...tiedToParent(process.execPath, args), {
    cwd,
    env: { ...inherited(), ...compileCacheOf(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const keep = (line: string) => {
    lines.push(line);
    if (lines.length > LOG_LINES_KEPT) lines.shift();
    if (process.env['UNBROKEN_TEST_VERBOSE'] !== undefined) process.stderr.write(`${name}: ${line}\n`);
  };
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const url = await readyUrl(name, child, keep, () => lines.join('\n'));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const signal = async (signalName: NodeJS.Signals) => {
    if (!isRunning()) return;
    if (signalName === 'SIGSTOP') return stopProcess(child.pid ?? -1);
    child.kill(signalName);
    if (signalName !== 'SIGCONT') await gone;
  };
  return {
    name,
    pid: child.pid ?? -1,
    url,
    log: () => lines.join('\n'),
    isRunning,
    exitCode: () => child.exitCode,
    signal,
    end: async () => {
      const last = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
      // A stopped process takes no SIGTERM until it continues.
      child.kill('SIGCONT');
      await signal('SIGTERM');
      clearTimeout(last);
    },
  };
}

/**
 * Sends SIGSTOP; resolves when no thread of the process runs. On a busy machine a process of several threads answers
 * requests for a while after the signal was sent: it stops when one of its threads has had its turn to take it.
 */
export async function stopProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await waitFor(`process ${pid} to stop`, () => threadStates(pid).every((state) => STOPPED.has(state)));
}

/** Linux alone shows the threads; elsewhere the signal counts as taken. */
function threadStates(pid: number): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    // The name before the state is in parentheses, and may itself hold any character.
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  });
}

function readyUrl(
  name: string,
  child: ChildProcess,
  keep: (line: string) => void,
  log: () => string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${name} ${why}:\n${log()}`));
    };
    const timer = setTimeout(() => fail(`was not ready within ${READY_WITHIN_MS} ms`), READY_WITHIN_MS);
    child.once('error', (error) => fail(`did not start (${error.message})`));
    child.once('exit', (code, signal) => fail(`ended before it was ready (${code ?? signal})`));
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        keep(line);
        const ready = parseReady(line);
        if (ready === undefined) return;
        clearTimeout(timer);
        resolve(ready);
      });
    }
  });
}

function parseReady(line: string): string | undefined {
  if (!line.startsWith('{') || !line.includes('"ready"')) return undefined;
  const parsed: unknown = JSON.parse(line);
  if (typeof parsed !== 'object' || parsed === null || !('ready' in parsed) || parsed.ready !== true) {
    return undefined;
  }
  return 'url' in parsed && typeof parsed.url === 'string' ? parsed.url : '';
}

/** Neither keys of real providers nor settings of the developer's shell reach the system under test. */
function inherited(): Record<string, string> {
  const ours = /^(UNBROKEN|TEMPORAL|REDIS|QDRANT|OPENAI|ANTHROPIC|GOOGLE|GEMINI)_|^NODE_OPTIONS$|^JEST/;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) =>
      value === undefined || ours.test(key) ? [] : [[key, value] as const],
    ),
  );
}
