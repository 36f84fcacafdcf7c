/** Finds programs on PATH and in the cache that all checkouts of this machine share, and runs short commands. */
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { ServiceError } from './service-error.js';

/** @typedef {import('./service-error.js').Environment} Environment */

const OUTPUT_TAIL_CHARS = 2_000;
const WORKSHOP_PREFIX = 'fetch-';
/** No fetch or build takes as long. */
const ABANDONED_AFTER_MS = 60 * 60_000;

/**
 * @param {string} program
 * @param {Environment} env
 * @returns {string | undefined}
 */
export function findOnPath(program, env = process.env) {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (folder !== '' && isExecutable(path)) return path;
  }
  return undefined;
}

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The cache: UNBROKEN_CACHE_DIR, else ~/.cache/unbroken. Made when absent.
 * @param {Environment} env
 */
export function cacheDirectory(env = process.env) {
  const path = env['UNBROKEN_CACHE_DIR'] || join(homedir(), '.cache', 'unbroken');
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    const fix = 'Make it writable for you, or set UNBROKEN_CACHE_DIR to another folder.';
    throw new ServiceError(`Cannot write to the cache ${path}.`, fix, { cause: error });
  }
  return path;
}

/**
 * The cached program `<cache>/<folder>/<program>`; where it is absent, `make` puts it into a temporary folder. It is
 * renamed into the cache only when whole, so a cached copy can be trusted, and two processes can make it at once.
 * @param {{ folder: string, program: string, env: Environment }} place
 * @param {(workshop: string) => Promise<string>} make resolves with the path of the program.
 */
export async function cachedProgram({ folder, program, env }, make) {
  const home = join(cacheDirectory(env), folder);
  const cached = join(home, program);
  if (isExecutable(cached)) return cached;
  mkdirSync(home, { recursive: true });
  await removeAbandoned(home);
  const workshop = await mkdtemp(join(home, WORKSHOP_PREFIX));
  try {
    await rename(await make(workshop), cached);
    return cached;
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

/**
 * A process that was killed in the middle leaves its folder behind.
 * @param {string} home
 */
async function removeAbandoned(home) {
  for (const name of await readdir(home)) {
    if (!name.startsWith(WORKSHOP_PREFIX)) continue;
    const path = join(home, name);
    const modified = await stat(path).catch(() => undefined);
    if (modified !== undefined && Date.now() - modified.mtimeMs > ABANDONED_AFTER_MS)
      await rm(path, { recursive: true, force: true });
  }
}

/**
 * Runs a command to its end. A command that cannot start or is overdue has a code other than 0. `output` is the end of
 * standard output and standard error together.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Environment, cwd?: string, timeoutMs: number }} settings
 * @returns {Promise<{ code: number | null, output: string }>}
 */
export function runCommand(command, args, settings) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: settings.cwd,
      env: { ...process.env, ...settings.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: settings.timeoutMs,
    });
    let output = '';
    const collect = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk.toString('utf8')).slice(-OUTPUT_TAIL_CHARS);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', (error) => resolve({ code: null, output: error.message }));
    child.once('close', (code) => resolve({ code, output: output.trim() }));
  });
}

/**
 * Unpacks an archive into a folder. The files belong to this user, also where root would give them the owner that the
 * archive names: a stranger with that number could change a program after its hash was checked.
 * @param {string} archive
 * @param {{ folder: string, timeoutMs: number, files?: readonly string[] }} settings without `files`, all of them.
 */
export function unpackTar(archive, { folder, timeoutMs, files = [] }) {
  const args = ['--no-same-owner', '-xzf', archive, '--', ...files];
  return runCommand('tar', args, { cwd: folder, timeoutMs });
}
