/** Makes the three programs available without starting them; prints their folders as one JSON line for bin/run.js. */
import { dirname } from 'node:path';
import { findQdrantExecutable } from './provide-qdrant.ts';
import { findRedisExecutable } from './provide-redis.ts';
import { findTemporalExecutable } from './provide-temporal.ts';
import { reasonOf } from './service-error.ts';

const report = (line: string) => process.stderr.write(`${line}\n`);

try {
  // A service that is given by its address needs no program of ours.
  const found = await Promise.all([
    process.env['TEMPORAL_ADDRESS'] ? undefined : findTemporalExecutable(report),
    process.env['REDIS_URL'] ? undefined : findRedisExecutable(report),
    process.env['QDRANT_URL'] ? undefined : findQdrantExecutable(report),
  ]);
  const folders = found.flatMap((path) => (path === undefined ? [] : [dirname(path)]));
  process.stdout.write(`${JSON.stringify({ folders: [...new Set(folders)] })}\n`);
} catch (error) {
  report(reasonOf(error));
  process.exitCode = 1;
}
