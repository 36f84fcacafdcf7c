/** Runs a program that is not ours to its end, in an environment that holds nothing of the caller's. */
import { spawn } from 'node:child_process';

const KEPT_CHARS = 4 << 20;

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** @param withinMs after that, it is killed with its children. */
export function runProgram(
  command: readonly string[],
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
    readonly withinMs: number;
  },
): Promise<Ran> {
  const [program = '', ...args] = command;
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch (error) {
      const hasEnded =
        typeof error === 'object' && error !== null && 'code' in error && error.code === 'ESRCH';
      if (!hasEnded) throw error;
    }
  };
  const timer = setTimeout(kill, options.withinMs);
  process.once('exit', kill);
  const kept = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      if (kept[name].length < KEPT_CHARS) kept[name] += text;
    });
  }
  child.once('error', reject);
  child.once('close', (code) => {
    clearTimeout(timer);
    process.off('exit', kill);
    kill();
    resolve({ ...kept, code });
  });
  return promise;
}

/** What a program says where it has failed. */
export function lastWords({ stdout, stderr, code }: Ran): string {
  const words = `${stdout}\n${stderr}`.trim().slice(-1_500);
  return code === null ? `was killed after its time: ${words}` : `exit ${code}: ${words}`;
}
