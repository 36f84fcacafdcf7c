/**
 * A worker dies between the submission of a generation and the record of it, and what submitted it is cancelled before
 * another worker takes it on. That one starts nothing any more, so the generation has no run, and no other end.
 */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from '../../clients/typescript/index.ts';
import { BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import { BATCH_TYPE, JOB_TYPE, workflowId } from '../../contracts/names.ts';
import { pipelineContentSchema } from '../../contracts/pipelines.ts';
import { RedisBatchStore } from '../../engine/batches/redis-batch-store.ts';
import { RedisJobStore } from '../../engine/jobs/redis-job-store.ts';
import { RedisEventLog } from '../../engine/streaming/redis-event-log.ts';
import { connectRedis } from '../../platform/redis/redis-connection.ts';
import { BatchClient, chatLine } from '../harness/batches.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

const KEPT_MS = 600_000;
let stack: Stack;
let redis: Awaited<ReturnType<typeof connectRedis>>;
beforeAll(async () => {
  stack = await startStack({ config: { batches: { linesAtOnce: 1 } } });
  redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
});
afterAll(async () => {
  redis?.destroy();
  await stack?.stop();
});

/** As the worker that died has submitted it. */
async function strand(nameInHash: string): Promise<string> {
  const generationId = `gen_${createHash('sha256').update(nameInHash).digest('hex').slice(0, 32)}`;
  await new RedisEventLog(redis, { retentionMs: KEPT_MS }).create({
    generationId,
    tenant: 'dev',
    user: 'dev',
    route: 'default',
    requestHash: nameInHash,
    metadata: {},
    input: { messages: [{ role: 'user', content: 'Hello' }], maxOutputTokens: 10 },
  });
  return generationId;
}

async function viewOf(generationId: string) {
  return (await stack.api.view(generationId)).body;
}

test('a line that was submitted and never started does not keep its cancelled batch from ending', async () => {
  const batches = new BatchClient(stack.api.url, stack.api.key);
  // Two lines for each of the shards that run at once: the first is held while the second waits.
  const lines = Array.from({ length: 2 * BATCH_LIMITS.shardsAtOnce }, (_, index) =>
    chatLine(`line ${index}`, promptOf({ tokens: 5, ...(index % 2 === 0 ? { holdAt: 1 } : {}) })),
  );
  const { id } = await batches.create(lines);
  await waitFor('the first lines to be called', async () => {
    return (await stack.sim.calls()).length === BATCH_LIMITS.shardsAtOnce;
  });
  await stack.workers[0]?.kill();
  const stranded = await strand(`dev\0${id}\0line 1`);
  await batches.openai.batches.cancel(id);
  await stack.sim.release();
  await stack.workers[0]?.restart();
  const ended = await batches.endOf(id);
  expect(ended.status).toBe('cancelled');
  const { ids, errors } = await batches.resultsOf(ended);
  expect(ids.sort()).toEqual(lines.map(({ custom_id }) => custom_id));
  // The line has the name that was made up above.
  expect(errors.find(({ custom_id }) => custom_id === 'line 1')).toMatchObject({
    id: stranded.replace('gen_', 'batch_req_'),
    error: { code: 'batch_cancelled' },
  });
  expect(await viewOf(stranded)).toMatchObject({ status: 'cancelled', costMicroUsd: 0 });
});

test('a generation that was opened and never started is closed when its cancelled job ends', async () => {
  const { jobs } = createClient({ baseUrl: stack.api.url, apiKey: stack.api.key });
  await stack.workers[0]?.kill();
  const definition = { steps: { only: { input: promptOf({ tokens: 5 }) } } };
  const { id } = await jobs.run({ definition });
  const generationId = await strand(`dev\0${id}\0only/0/1`);
  await new RedisJobStore(redis, { keptMs: KEPT_MS }).append(id, 'open:only/0/1', [
    { type: 'step-start', step: 'only', items: null },
    { type: 'generation-open', step: 'only', item: null, attempt: 1, generationId },
  ]);
  await jobs.cancel(id);
  await stack.workers[0]?.restart();
  await waitFor('the end of the job', async () => (await jobs.get(id)).status === 'cancelled');
  expect((await jobs.get(id)).steps).toMatchObject([{ name: 'only', failed: 1 }]);
  expect(await viewOf(generationId)).toMatchObject({ status: 'cancelled', costMicroUsd: 0 });
});

test('a line that was submitted, and is refused by the worker that continues, leaves no running generation', async () => {
  const batches = new BatchClient(stack.api.url, stack.api.key);
  await stack.workers[0]?.kill();
  const { id } = await batches.create([
    { ...chatLine('line', 'Hello'), body: { model: 'nobody/none', messages: [] } },
  ]);
  const stranded = await strand(`dev\0${id}\0line`);
  await stack.workers[0]?.restart();
  expect((await batches.endOf(id)).request_counts).toMatchObject({ failed: 1 });
  expect(await viewOf(stranded)).toMatchObject({ status: 'cancelled', costMicroUsd: 0 });
});

test('a generation that was opened, and for which no time is left then, is closed with its step', async () => {
  const { jobs } = createClient({ baseUrl: stack.api.url, apiKey: stack.api.key });
  await stack.workers[0]?.kill();
  const definition = { steps: { only: { input: promptOf({ tokens: 5 }), deadlineMs: 100 } } };
  const { id } = await jobs.run({ definition });
  const generationId = await strand(`dev\0${id}\0only/0/1`);
  await new RedisJobStore(redis, { keptMs: KEPT_MS }).append(id, 'open:only/0/1', [
    { type: 'step-start', step: 'only', items: null },
    { type: 'generation-open', step: 'only', item: null, attempt: 1, generationId },
  ]);
  await stack.workers[0]?.restart();
  await waitFor('the end of the job', async () => (await jobs.get(id)).status === 'failed');
  expect(await viewOf(generationId)).toMatchObject({ status: 'cancelled', costMicroUsd: 0 });
});

/** As an API process leaves a job that dies before it has started the run. */
async function jobWithoutRun(): Promise<string> {
  const jobId = `job_${randomBytes(16).toString('hex')}`;
  const only = { input: promptOf({ tokens: 5 }) };
  await new RedisJobStore(redis, { keptMs: KEPT_MS }).create({
    jobId,
    tenant: 'dev',
    user: 'dev',
    pipeline: null,
    metadata: {},
    requestHash: jobId,
    deadlineAtMs: Date.now() + KEPT_MS,
    maxCostMicroUsd: null,
    spec: {
      owner: { tenant: 'dev', user: 'dev', team: null, keyId: 'key', scopes: ['generate'] },
      definition: pipelineContentSchema.parse({ steps: { only } }),
      input: {},
      priority: null,
    },
    events: [{ type: 'job-start', jobId, user: 'dev', pipeline: null, steps: ['only'], needs: { only: [] } }],
    values: new Map(),
  });
  return jobId;
}

/** Starts the run of a job or batch that has none, and waits for its end. */
async function runAfterAll(type: string, id: string, order: object): Promise<unknown> {
  const { workflow } = await temporalClient(stack.env);
  const taskQueue = stack.env['UNBROKEN_TASK_QUEUE'] ?? '';
  return workflow.execute(type, { workflowId: workflowId('dev', id), taskQueue, args: [order] });
}

test('a job without a run is cancelled at once, and a run that is started after all calls nothing', async () => {
  const { jobs } = createClient({ baseUrl: stack.api.url, apiKey: stack.api.key });
  const id = await jobWithoutRun();
  await jobs.cancel(id);
  expect(await jobs.get(id)).toMatchObject({ status: 'cancelled' });
  await stack.sim.forget();
  const plan = { needs: [], kind: 'generate', maxParallel: 1, retries: 0, onError: 'fail' };
  const order = {
    jobId: id,
    tenant: 'dev',
    user: 'dev',
    deadlineAtMs: Date.now() + KEPT_MS,
    maxCostMicroUsd: null,
    steps: [{ name: 'only', ...plan, maxCostMicroUsd: null }],
    maxParallel: 1,
  };
  expect(await runAfterAll(JOB_TYPE, id, order)).toMatchObject({ status: 'cancelled', costMicroUsd: 0 });
  expect(await stack.sim.calls()).toEqual([]);
});

test('a batch without a run is cancelled at once, and a run that is started after all calls nothing', async () => {
  const batches = new BatchClient(stack.api.url, stack.api.key);
  const { id: other } = await batches.create([chatLine('line', promptOf({ tokens: 5 }))]);
  await batches.endOf(other);
  const store = new RedisBatchStore(redis, { keptMs: KEPT_MS });
  const batchId = `batch_${randomBytes(16).toString('hex')}`;
  const deadlineAtMs = Date.now() + KEPT_MS;
  await store.create({ ...(await store.spec(other)), batchId, deadlineAtMs });
  await batches.openai.batches.cancel(batchId);
  expect((await batches.openai.batches.retrieve(batchId)).status).toBe('cancelled');
  await stack.sim.forget();
  const outcome = await runAfterAll(BATCH_TYPE, batchId, {
    tenant: 'dev',
    batchId,
    user: 'dev',
    deadlineAtMs,
    linesAtOnce: 1,
  });
  expect(outcome).toMatchObject({ status: 'cancelled', costMicroUsd: 0 });
  expect(await stack.sim.calls()).toEqual([]);
});
