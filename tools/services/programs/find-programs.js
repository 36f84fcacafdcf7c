/** The programs of the three services, all at once; bin/run.js fetches them while npm installs the dependencies. */
import { dirname } from 'node:path';
import { findQdrantExecutable } from './qdrant.js';
import { findRedisExecutable } from './redis.js';
import { findTemporalExecutable } from './temporal-cli.js';

/**
 * The folders that hold the programs, for PATH. A service whose address is set needs no program here.
 * @param {import('./service-error.js').Report} report
 * @param {import('./service-error.js').Environment} env
 * @returns {Promise<string[]>}
 */
export async function findProgramFolders(report, env = process.env) {
  const paths = await waitForAll([
    env['TEMPORAL_ADDRESS'] ? undefined : findTemporalExecutable(report, env),
    env['REDIS_URL'] ? undefined : findRedisExecutable(report, env),
    env['QDRANT_URL'] ? undefined : findQdrantExecutable(report, env),
  ]);
  return [...new Set(paths.flatMap((path) => (path === undefined ? [] : [dirname(path)])))];
}

/**
 * Rejects only when none is pending any more: the caller exits then, and must not do so in the middle of an installation.
 * @template Result
 * @param {readonly (Result | Promise<Result>)[]} searches
 * @returns {Promise<Result[]>}
 */
export async function waitForAll(searches) {
  await Promise.allSettled(searches);
  return Promise.all(searches);
}
