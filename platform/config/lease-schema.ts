/** When a worker counts as dead. */
import { z } from 'zod';
import { DEFAULTS } from '../../contracts/limits.ts';

export const workerSilentMsSchema = z
  .int()
  .min(200)
  .max(30_000)
  .default(DEFAULTS.workerSilentMs)
  .describe(
    'A worker that has not renewed its lease in Redis for this long counts as dead: others continue its streams. The same at every API and worker.',
  );
