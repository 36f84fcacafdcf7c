/**
 * examples/nextjs, installed and built outside of the repository. Its packages are kept in the cache of the machine,
 * under the hash of their lock file, because they are four times as large as the product; and so is what it was built
 * to, under the hash of all that it is built from.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../../tools/services/programs/executables.js';
import { PROJECT_ROOT } from './child-process.ts';

const execute = promisify(execFile);
const SOURCE = join(PROJECT_ROOT, 'examples', 'nextjs');
const BUILT = /(?:^|[/\\])(?:node_modules|\.next|\.chats)(?:[/\\]|$)/;

interface NextExample {
  readonly folder: string;
  remove(): void;
}

export async function buildNextExample(): Promise<NextExample> {
  const cache = join(cacheDirectory(), 'examples');
  mkdirSync(cache, { recursive: true });
  const modules = await installModules(cache);
  const folder = mkdtempSync(join(cache, 'run-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    cpSync(SOURCE, folder, { recursive: true, filter: (path) => !BUILT.test(path.slice(SOURCE.length)) });
    // Links instead of copies: they take a second. Next.js refuses a link to the folder as a whole.
    await execute('cp', ['-Rl', modules, join(folder, 'node_modules')]);
    await build(cache, folder);
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Takes the kept build of the same files where there is one: where it was built, a server does not ask. */
async function build(cache: string, folder: string): Promise<void> {
  const hash = createHash('sha256').update(process.version);
  const sources = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((path) => !BUILT.test(`/${path}`) && statSync(join(SOURCE, path)).isFile())
    .sort();
  for (const path of sources) hash.update(path).update(readFileSync(join(SOURCE, path)));
  const kept = join(cache, `nextjs-built-${hash.digest('hex').slice(0, 16)}`);
  const built = join(folder, '.next');
  if (existsSync(kept)) return cpSync(kept, built, { recursive: true });
  const next = join(folder, 'node_modules', 'next', 'dist', 'bin', 'next');
  await execute(process.execPath, [next, 'build'], { cwd: folder, env: nextEnvironment() });
  keep(built, kept);
}

/** It appears whole or not at all. */
function keep(folder: string, as: string): void {
  const unfinished = mkdtempSync(`${as}-`);
  try {
    const ofBuilds = join(folder, 'cache');
    cpSync(folder, unfinished, { recursive: true, filter: (path) => path !== ofBuilds });
    renameSync(unfinished, as);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process was faster.
    if (!existsSync(as)) throw error;
  }
}

/** Node's options of the test would reach the build; nothing is reported to the makers of Next.js. */
export function nextEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, ...env } = process.env;
  return { ...env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' };
}

async function installModules(cache: string): Promise<string> {
  const lock = readFileSync(join(SOURCE, 'package-lock.json'));
  const name = createHash('sha256').update(lock).digest('hex').slice(0, 16);
  const installed = join(cache, `nextjs-${name}`);
  const modules = join(installed, 'node_modules');
  if (existsSync(modules)) return modules;
  const unfinished = mkdtempSync(join(cache, 'install-'));
  try {
    for (const file of ['package.json', 'package-lock.json'])
      cpSync(join(SOURCE, file), join(unfinished, file));
    const flags = ['--include=dev', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    await execute('npm', ['ci', ...flags], { cwd: unfinished });
    try {
      renameSync(unfinished, installed);
    } catch (error) {
      // Another process was faster.
      if (!existsSync(modules)) throw error;
    }
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return modules;
}
