/** A Python environment with packages from PyPI, in a folder of the project that is kept for the next time. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from './child-process.ts';

const run = promisify(execFile);
const INSTALL_WITHIN_MS = 300_000;

/**
 * @param name of a package; `version` is exact.
 * @returns the interpreter that has the package. @throws where there is no python3 with venv and pip, or no index.
 */
export async function providePython(name: string, version: string): Promise<string> {
  const folder = join(PROJECT_ROOT, '.unbroken', `python-${name}-${version}`);
  const python = join(folder, 'bin', 'python');
  const isInstalled = join(folder, 'installed');
  if (existsSync(isInstalled)) return python;
  await run('python3', ['-m', 'venv', '--clear', folder], { timeout: INSTALL_WITHIN_MS });
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `${name}==${version}`];
  await run(python, pip, { timeout: INSTALL_WITHIN_MS });
  await run(python, ['-c', `open(${JSON.stringify(isInstalled)}, 'w').close()`]);
  return python;
}
