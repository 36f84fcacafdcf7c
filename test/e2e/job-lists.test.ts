/** Lists of jobs that had thousands of generations: what a request costs is limited, and so is what it keeps. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient, type UnbrokenClient } from '../../clients/typescript/index.ts';
import type { JobEventBody } from '../../contracts/jobs.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { RedisJobStore } from '../../engine/jobs/redis-job-store.ts';
import { connectRedis, type RedisConnection } from '../../platform/redis/redis-connection.ts';
import { useOf } from '../../tools/bench/process-use.ts';
import { type Stack, startStack } from '../harness/stack.ts';

const JOBS = 25;
/** The most that a job may have. */
const GENERATIONS = 5_000;
const DAY_MS = 86_400_000;

let stack: Stack;
let redis: RedisConnection;
let store: RedisJobStore;
let client: UnbrokenClient;
const owner = { tenant: `lists-${randomUUID()}`, user: 'dev' };
beforeAll(async () => {
  stack = await startStack({ workers: 0 });
  redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
  store = new RedisJobStore(redis, { keptMs: DAY_MS });
  client = createClient({ baseUrl: stack.api.url, apiKey: await stack.addKey(owner) });
  for (let job = 0; job < JOBS; job += 1) await storeJob(owner);
});
afterAll(async () => {
  redis?.destroy();
  await stack?.stop();
});

interface Owner {
  readonly tenant: string;
  readonly user: string;
}

/** As it is before its only step begins. @returns its id */
async function createJob({ tenant, user }: Owner, step: string): Promise<string> {
  const jobId = `job_${randomUUID().replaceAll('-', '')}`;
  const owner = { tenant, user, team: null, keyId: 'key', scopes: ['generate' as const] };
  await store.create({
    jobId,
    tenant,
    user,
    pipeline: null,
    metadata: {},
    requestHash: '',
    deadlineAtMs: Date.now() + DAY_MS,
    maxCostMicroUsd: null,
    spec: { owner, definition: { input: {}, steps: {} }, input: {}, priority: null },
    events: [{ type: 'job-start', jobId, user, pipeline: null, steps: [step] }],
    values: new Map(),
  });
  return jobId;
}

/** As its steps have stored it. */
async function storeJob(owner: Owner): Promise<void> {
  const jobId = await createJob(owner, 'all');
  const used = { usage: { ...NO_USAGE, inputTokens: 3, outputTokens: 4 }, costMicroUsd: 7 };
  for (let from = 0; from < GENERATIONS; from += 100) {
    const events = Array.from({ length: 100 }, (_, index): JobEventBody[] => {
      const generationId = `gen_${randomUUID().replaceAll('-', '')}`;
      const generation = { step: 'all', item: from + index, attempt: 1, generationId };
      return [
        { type: 'generation-open', ...generation },
        { type: 'generation-close', ...generation, status: 'completed', ...used },
      ];
    });
    await store.append(jobId, `items:${from}`, events.flat());
  }
  // Of a job that runs, nothing is kept.
  await store.keepSummary(jobId, '{"form":1,"job":{}}');
  const usage = { ...used.usage, inputTokens: 3 * GENERATIONS, outputTokens: 4 * GENERATIONS };
  await store.append(jobId, 'end', [{ type: 'job-end', usage, costMicroUsd: 7 * GENERATIONS }]);
}

const pid = () => stack.apis[0]?.pid() ?? 0;

test('a list of the largest jobs keeps none of their events, and reads those of ended jobs once', async () => {
  const before = useOf([pid()]);
  const first = await client.jobs.list({ limit: 100 });
  const read = useOf([pid()]);
  expect(first).toHaveLength(JOBS);
  expect(first[0]).toMatchObject({
    status: 'completed',
    costMicroUsd: 7 * GENERATIONS,
    steps: [{ name: 'all', done: GENERATIONS, failed: 0 }],
    output: null,
  });
  const second = await client.jobs.list({ limit: 100 });
  const again = useOf([pid()]);
  expect(second).toEqual(first);
  expect(read.residentMiB - before.residentMiB).toBeLessThan(200);
  expect(again.cpuMs - read.cpuMs).toBeLessThan((read.cpuMs - before.cpuMs) / 5);
  const [job] = first;
  expect(await client.jobs.get(job?.id ?? '')).toEqual(job);
});

test('what is kept of a job is gone with it', async () => {
  const [job] = await client.jobs.list({ limit: 1 });
  await store.erase(job?.id ?? '');
  await store.keepSummary(job?.id ?? '', '{"form":1,"job":{}}');
  expect((await client.jobs.list({ limit: 100 })).map(({ id }) => id)).not.toContain(job?.id);
  await expect(client.jobs.get(job?.id ?? '')).rejects.toMatchObject({ status: 404 });
});

test('texts that differ after all that a comparison shows are not the same', async () => {
  const jobOf = async (text: string) => {
    const jobId = await createJob(owner, 'essay');
    const values = new Map([['essay', JSON.stringify(text)]]);
    await store.append(jobId, 'essay', [{ type: 'step-end', step: 'essay', status: 'completed' }], values);
    return jobId;
  };
  const long = 'a'.repeat(70_000);
  const [first, other, same] = [await jobOf(`${long}b`), await jobOf(`${long}c`), await jobOf(`${long}b`)];
  const { steps } = await client.jobs.compare(first, other);
  expect(steps).toMatchObject([{ name: 'essay', isSame: false }]);
  expect(steps[0]?.sides.map(({ text }) => text?.length)).toEqual([65_536, 65_536]);
  expect((await client.jobs.compare(first, same)).steps).toMatchObject([{ isSame: true }]);
});
