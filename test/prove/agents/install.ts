/** Agents and frameworks from npm and PyPI, in fixed versions. Each has its own folder, which is kept. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from '../../harness/child-process.ts';
import { createEnvironment } from '../../harness/python-venv.ts';

const run = promisify(execFile);
const KEPT_IN = join(PROJECT_ROOT, '.unbroken', 'agents');
const INSTALL_WITHIN_MS = 900_000;

/** Packages with their versions, such as `llm==0.36` or `ai@7.0.173`. */
export type Packages =
  | { readonly from: 'npm'; readonly packages: readonly string[] }
  | { readonly from: 'pypi'; readonly packages: readonly string[] };

/** @returns the folder: `node_modules` is in it, or `bin` with its Python. @throws where it cannot be installed. */
export async function install({ from, packages }: Packages): Promise<string> {
  const hash = createHash('sha256').update(packages.join('\n')).digest('hex').slice(0, 10);
  const first = packages[0]?.replace(/[^a-z0-9.-]+/gi, '-') ?? '';
  const folder = join(KEPT_IN, `${from}-${first}-${hash}`);
  const isInstalled = join(folder, 'installed');
  if (existsSync(isInstalled)) return folder;
  rmSync(folder, { recursive: true, force: true });
  if (from === 'npm') await installFromNpm(folder, packages);
  else await installFromPypi(folder, packages);
  writeFileSync(isInstalled, '');
  return folder;
}

async function installFromNpm(folder: string, packages: readonly string[]): Promise<void> {
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  writeFileSync(
    join(partial, 'package.json'),
    JSON.stringify({ name: 'agent', private: true, type: 'module' }),
  );
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--save-exact'];
  await run('npm', ['install', ...flags, ...packages], {
    cwd: partial,
    timeout: INSTALL_WITHIN_MS,
    maxBuffer: 64 << 20,
  });
  renameSync(partial, folder);
}

/** A virtual environment cannot be moved, so it is made where it stays. */
async function installFromPypi(folder: string, packages: readonly string[]): Promise<void> {
  await createEnvironment(folder);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  await run(join(folder, 'bin', 'python'), [...pip, ...packages], {
    timeout: INSTALL_WITHIN_MS,
    maxBuffer: 64 << 20,
  });
}
