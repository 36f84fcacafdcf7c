/** `npx unbroken ...`, or another program of ours, as a process to its end. */
import { spawn } from 'node:child_process';
import { compileCacheOf } from './bundled-programs.ts';
import { PROJECT_ROOT } from './child-process.ts';
import type { UnbrokenApi } from './unbroken-api.ts';

interface CliResult {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

export function runCli(
  api: Pick<UnbrokenApi, 'url' | 'key'>,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  program = 'bin/unbroken.js',
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: PROJECT_ROOT,
      env: {
        ...process.env,
        ...compileCacheOf(),
        ...environment,
        UNBROKEN_URL: api.url,
        UNBROKEN_API_KEY: api.key,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let error = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      error += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out: out.trim(), error: error.trim() }));
  });
}
