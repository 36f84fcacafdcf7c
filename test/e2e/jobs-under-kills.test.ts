/** A short run of the proof of batches, pipelines and schedules; `npm run prove -- jobs` is the long one. */
import { expect, test } from '@jest/globals';
import { proveJobs } from '../prove/jobs/jobs.ts';

/**
 * Temporal waits for a workflow task that was lost for longer with each attempt, so that a run whose tasks were lost
 * several times on a busy machine may stand still for minutes.
 */
const PATIENCE_MS = 900_000;

test(
  'kills of every kind of process lose no line, job, webhook or tick, and pay none twice',
  async () => {
    expect(await proveJobs({ lines: 60, pipelines: 3, minutes: 0.25, seed: 17 })).toEqual([]);
  },
  PATIENCE_MS,
);
