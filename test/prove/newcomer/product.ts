/** The product as a newcomer has it: one command that stays in the foreground, and what it prints. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { waitFor } from '../../harness/wait-for.ts';

const READY_WITHIN_MS = 15 * 60_000;
const STOPPED_WITHIN_MS = 60_000;

interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface Product {
  readonly url: string;
  readonly key: string;
  readonly simulatorUrl: string;
  /** Signs a browser in, once. */
  readonly link: string;
  /** Kills the API with SIGKILL; the product starts it again. */
  killApi(): void;
  /** Ctrl-C. Throws if a process that it started is still there afterwards. */
  stop(): Promise<void>;
}

/** Resolves when the command prints that it is ready. Throws with its output when it ends before. */
export async function startProduct(command: Command): Promise<Product> {
  const child = spawn(command.command, command.args, {
    cwd: command.cwd,
    env: command.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A separate group, so that Ctrl-C reaches all its processes, as in a terminal.
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', (line) => (output += `${line}\n`));
  }
  const end = () => stopGroup(child);
  try {
    await waitFor(
      'the product is ready',
      () => {
        if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output}`);
        return /^Ready after/m.test(output) && /Ctrl-C/.test(output);
      },
      READY_WITHIN_MS,
    );
    const printed = (pattern: RegExp) => {
      const found = pattern.exec(output)?.[1];
      if (found === undefined) throw new Error(`the output has no ${pattern}:\n${output}`);
      return found;
    };
    return {
      url: printed(/^ *API +(http\S+)/m),
      key: printed(/^ *key +(\S+)/m),
      simulatorUrl: printed(/simulator: ready on (http\S+)/),
      link: printed(/^ *Page +(http\S+)/m),
      killApi: () => process.kill(findDescendant(child.pid ?? -1, 'api/main'), 'SIGKILL'),
      stop: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function stopGroup(child: ChildProcess): Promise<void> {
  const group = -(child.pid ?? Number.NaN);
  const family = descendantsOf(child.pid ?? -1);
  if (child.exitCode === null && child.signalCode === null) process.kill(group, 'SIGINT');
  try {
    const isGone = () => family.every(({ pid }) => !isRunning(pid));
    await waitFor('all its processes have ended', isGone, STOPPED_WITHIN_MS);
  } catch (error) {
    for (const { pid } of family) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    throw error;
  }
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function findDescendant(root: number, file: string): number {
  const found = descendantsOf(root).find(({ command }) => command.includes(file));
  if (found === undefined) throw new Error(`no process of ${root} runs ${file}`);
  return found.pid;
}

/** From Linux's /proc; the parents before their children. */
function descendantsOf(root: number): readonly Process[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)));
  const family: Process[] = all.filter(({ pid }) => pid === root);
  for (const { pid } of family) family.push(...all.filter(({ parent }) => parent === pid));
  return family;
}

/** Empty for a process that has ended meanwhile. */
function readProcess(pid: number): Process[] {
  try {
    const [, parent = ''] = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    return [{ pid, parent: Number(parent), command }];
  } catch {
    return [];
  }
}

function isRunning(pid: number): boolean {
  const [, state = 'X'] = /^State:\s+(\w)/m.exec(statusOf(pid)) ?? [];
  return state !== 'X' && state !== 'Z';
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
