/** Python environments for tests, and those with packages from PyPI that are kept for the next time. */
import { execFile } from 'node:child_process';
import { globSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KEPT_IN, makeOnce } from './make-once.ts';

const run = promisify(execFile);
const INSTALL_WITHIN_MS = 300_000;

/**
 * @param name of a package; `version` is exact.
 * @returns the interpreter that has the package. @throws where there is no python3 with venv and pip, or no index.
 */
export async function providePython(name: string, version: string): Promise<string> {
  const folder = join(KEPT_IN, `python-${name}-${version}`);
  const python = join(folder, 'bin', 'python');
  const isInstalled = join(folder, 'installed');
  await makeOnce(isInstalled, async () => {
    await createEnvironment(folder);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `${name}==${version}`];
    await run(python, pip, { timeout: INSTALL_WITHIN_MS });
    await run(python, ['-c', `open(${JSON.stringify(isInstalled)}, 'w').close()`]);
  });
  return python;
}

/**
 * An empty environment with pip, as `python3 -m venv --clear` makes it. That unpacks and compiles pip each time, which
 * takes more than all else; here it is done once.
 */
export async function createEnvironment(folder: string): Promise<void> {
  const options = { timeout: INSTALL_WITHIN_MS };
  await run('python3', ['-m', 'venv', '--clear', '--without-pip', folder], options);
  const [version = ''] = readdirSync(join(folder, 'lib'));
  const kept = join(KEPT_IN, `pip-of-${version}`);
  await makeOnce(kept, async () => {
    const unfinished = `${kept}.${process.pid}`;
    try {
      await run('python3', ['-m', 'venv', '--clear', unfinished], options);
      renameSync(join(unfinished, 'lib', version, 'site-packages'), kept);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  });
  const parts = globSync('pip*', { cwd: kept }).map((name) => join(kept, name));
  // With their times, by which Python knows that they are compiled.
  await run('cp', ['-Rp', ...parts, join(folder, 'lib', version, 'site-packages')], options);
}
