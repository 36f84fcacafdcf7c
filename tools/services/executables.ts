/** Finds programs on PATH and in the cache that all checkouts of this machine share. */
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Environment, ServiceError } from './service-error.ts';

const OUTPUT_TAIL_CHARS = 2_000;

export function findOnPath(program: string, env: Environment = process.env): string | undefined {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (folder !== '' && isExecutable(path)) return path;
  }
  return undefined;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The cache: UNBROKEN_CACHE_DIR, else ~/.cache/unbroken. Made when absent. */
export function cacheDirectory(env: Environment = process.env): string {
  const path = env['UNBROKEN_CACHE_DIR'] || join(homedir(), '.cache', 'unbroken');
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    const fix = 'Make it writable for you, or set UNBROKEN_CACHE_DIR to another folder.';
    throw new ServiceError(`Cannot write to the cache ${path}.`, fix, { cause: error });
  }
  return path;
}

export interface CommandResult {
  readonly code: number | null;
  /** The end of standard output and standard error together. */
  readonly output: string;
}

/** Runs a command to its end; a command that cannot start or is overdue has a code other than 0. */
export function runCommand(
  command: string,
  args: readonly string[],
  settings: { readonly env?: Environment; readonly cwd?: string; readonly timeoutMs: number },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: settings.cwd,
      env: { ...process.env, ...settings.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: settings.timeoutMs,
    });
    let output = '';
    const collect = (chunk: Buffer) => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_TAIL_CHARS);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => resolve({ code: null, output: error.message }));
    child.once('close', (code) => resolve({ code, output: output.trim() }));
  });
}
