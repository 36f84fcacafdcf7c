/** A job that repeats another one: who pays for it, and what it counts as. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Caller } from '../../../api/access/api-keys.ts';
import { rerunJob } from '../../../api/jobs/rerun-job.ts';
import { type JobStartDependencies, jobIdFor, startJob } from '../../../api/jobs/start-job.ts';
import { pipelineContentSchema } from '../../../contracts/pipelines.ts';
import { NOTHING_USED } from '../../../contracts/share.ts';
import { checkPipeline } from '../../../engine/jobs/check-pipeline.ts';
import { RedisJobStore } from '../../../engine/jobs/redis-job-store.ts';
import { configSchema } from '../../../platform/config/schema.ts';
import { startTestRedis, type TestRedis } from '../../engine/streaming/redis-server.ts';

const definition = pipelineContentSchema.parse({ steps: { one: { input: 'a' }, two: { input: 'b' } } });
const caller = { tenant: 'acme', user: 'ann', team: null, keyId: 'first', scopes: [] } as unknown as Caller;
let server: TestRedis;
let jobs: RedisJobStore;
let bytes: number;
let dependencies: JobStartDependencies;
beforeAll(async () => {
  server = await startTestRedis();
  jobs = new RedisJobStore(await server.connect(), { keptMs: 60_000 });
});
afterAll(() => server?.stop());
beforeEach(() => {
  bytes = 0;
  const stored = {
    takeInput: async (_: string, taken: number) => {
      bytes += taken;
      return { bytes: taken, untilHour: 0 };
    },
    dropInput: async (_: string, counted: { readonly bytes: number }) => {
      bytes -= counted.bytes;
    },
  };
  const routes = { choose: () => ({ candidates: [] }) };
  // This Temporal starts nothing.
  const parts = { config: configSchema.parse({}), jobs, stored, routes, temporal: {} };
  dependencies = parts as unknown as JobStartDependencies;
});

type Reused = NonNullable<Parameters<typeof startJob>[2]['reused']>;

/** Creates a job, which has no run. */
async function create(jobId: string, reused?: Reused): Promise<void> {
  const starting = startJob(dependencies, caller, {
    jobId,
    isRepeatable: true,
    requestHash: 'hash',
    user: 'ann',
    planned: { definition, pipeline: null, checked: checkPipeline(definition) },
    input: {},
    request: {},
    ...(reused === undefined ? {} : { reused }),
  });
  await expect(starting).rejects.toThrow();
}

test('the values of the steps that it does not run again count as what its tenant keeps, once', async () => {
  const jobId = `job_${'0'.repeat(32)}`;
  const reused = {
    rerunOf: { jobId, from: 'two' },
    events: [],
    values: new Map([['one', JSON.stringify('x'.repeat(100_000))]]),
  };
  await create(jobId, reused);
  expect(bytes).toBeGreaterThan(100_000);
  const once = bytes;
  await create(jobId, reused);
  expect(bytes).toBe(once);
});

test('it is paid by the key of its request, not by that of the first job, which may be revoked', async () => {
  const jobId = `job_${'1'.repeat(32)}`;
  await create(jobId);
  await jobs.append(jobId, 'end', [{ type: 'job-end', ...NOTHING_USED }]);
  const head = await jobs.head(jobId);
  if (head === null) throw new Error('There is no job.');
  const other = { ...caller, keyId: 'other', team: 'blue' };
  const rerun = rerunJob(dependencies, other, { head, request: { from: 'one' }, idempotencyKey: 'again' });
  await expect(rerun).rejects.toThrow();
  const { owner } = await jobs.spec(jobIdFor(other, 'again'));
  expect(owner).toMatchObject({ user: 'ann', keyId: 'other', team: 'blue' });
});
