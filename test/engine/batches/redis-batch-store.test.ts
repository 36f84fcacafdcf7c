/** Batches in a real Redis: their statuses, their counts, and whose they are. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { NO_LINES, type ShardResult } from '../../../contracts/batches.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import type { BatchSpec } from '../../../engine/batches/batch-store.ts';
import { RedisBatchStore } from '../../../engine/batches/redis-batch-store.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

let server: TestRedis;
let redis: RedisConnection;
let batches: RedisBatchStore;
beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
  batches = new RedisBatchStore(redis, { keptMs: 60_000 });
});
afterAll(() => server?.stop());

let made = 0;
function specOf(facts: Partial<BatchSpec> = {}, user = 'ann'): BatchSpec {
  made += 1;
  return {
    tenant: 'acme',
    batchId: `batch_${made}`,
    owner: { tenant: 'acme', user, team: null, keyId: 'key', scopes: [] },
    format: 'openai',
    endpoint: '/v1/chat/completions',
    inputKey: 'files/acme/file',
    inputFileId: 'file',
    completionWindow: '24h',
    deadlineAtMs: Date.now() + 60_000,
    outputKeptMs: 60_000,
    headers: {},
    metadata: null,
    requestHash: 'hash',
    ...facts,
  };
}

const shardOf = ({ tenant, batchId }: BatchSpec, shard: number) => ({ tenant, batchId, shard });
const result: ShardResult = {
  ...NO_LINES,
  completed: 3,
  failed: 1,
  usage: { ...NO_USAGE, inputTokens: 10, outputTokens: 5, estimated: true, serviceTier: 'batch' },
  costMicroUsd: 7,
};

test('a batch is created once, and moves from one status to the next', async () => {
  const spec = specOf();
  expect(await batches.create(spec)).toBe('hash');
  expect(await batches.create({ ...spec, requestHash: 'another' })).toBe('hash');
  expect(await batches.head(spec.batchId)).toMatchObject({
    status: 'validating',
    spec,
    plan: null,
    counts: NO_LINES,
  });
  const plan = { lines: 4, shardLines: 1 };
  const begin = { to: 'in_progress', from: ['validating'], facts: { plan, model: 'm' } } as const;
  expect(await batches.change(spec.batchId, begin)).toBe('in_progress');
  expect(await batches.change(spec.batchId, { to: 'cancelling', from: ['in_progress'] })).toBe('cancelling');
  // Not from this status.
  expect(await batches.change(spec.batchId, begin)).toBe('cancelling');
  const head = await batches.head(spec.batchId);
  expect(head).toMatchObject({ status: 'cancelling', plan, model: 'm' });
  expect(Object.keys(head?.times ?? {}).sort()).toEqual(['cancelling', 'in_progress']);
  await expect(batches.change('batch_unknown', begin)).rejects.toMatchObject({ code: 'not_found' });
});

test('a shard is counted once, however often it is noted, and its refusals are forgotten', async () => {
  const spec = specOf();
  await batches.create(spec);
  const shard = shardOf(spec, 2);
  const response = { statusCode: 400, body: { error: { message: 'first' } } };
  await batches.refuse(shard, 7, response);
  await batches.refuse(shard, 7, { statusCode: 500, body: {} });
  expect([...(await batches.refused(shard))]).toEqual([[7, response]]);
  await batches.noteShard(shard, result);
  await batches.noteShard(shard, result);
  await batches.noteShard(shardOf(spec, 0), result);
  expect(await batches.head(spec.batchId)).toMatchObject({
    counts: { completed: 6, failed: 2, cancelled: 0, expired: 0 },
    usage: { inputTokens: 20, outputTokens: 10, estimated: true },
    costMicroUsd: 14,
    countedAt: expect.any(Number),
  });
  expect([...(await batches.notedShards(spec.batchId))].sort()).toEqual([0, 2]);
  expect((await batches.refused(shard)).size).toBe(0);
  const head = await batches.head(spec.batchId);
  if (head === null) throw new Error('The batch is gone.');
  await batches.remove(head);
  expect(await batches.head(spec.batchId)).toBeNull();
  // What arrives too late leaves nothing behind.
  await batches.noteShard(shard, result);
  await batches.refuse(shard, 7, response);
  expect(await batches.head(spec.batchId)).toBeNull();
  expect((await batches.refused(shard)).size).toBe(0);
});

test('the batches that read a file are known by it, whosever they are, until they end or are removed', async () => {
  const file = { tenant: 'acme', fileId: 'file-shared' };
  const of = (user: string) => specOf({ inputFileId: file.fileId }, user);
  const [first, second, third] = [of('ann'), of('bob'), of('root')];
  for (const spec of [first, second, third]) await batches.create(spec);
  await batches.create(specOf());
  const readers = async () => (await batches.readersOf(file)).map(({ spec }) => spec.batchId).sort();
  expect(await readers()).toEqual([first, second, third].map(({ batchId }) => batchId).sort());
  expect(await batches.readersOf({ ...file, tenant: 'other' })).toEqual([]);
  await batches.change(first.batchId, { to: 'cancelled', from: ['validating'] });
  const head = await batches.head(second.batchId);
  if (head === null) throw new Error('The batch is gone.');
  await batches.remove(head);
  expect(await readers()).toEqual([third.batchId]);
  // One whose process died before it left the list.
  await redis.hSet(REDIS_KEYS.batch(third.batchId, 'head'), 'status', 'completed');
  expect(await readers()).toEqual([]);
  expect(await redis.exists(REDIS_KEYS.batchesOf(file.tenant, 'reads', file.fileId))).toBe(0);
});

test('lists are of a user or a tenant and of a format, newest first, page by page; the open ones are known', async () => {
  const owner = { tenant: 'lists', user: 'bob' };
  const own = (facts: Partial<BatchSpec> = {}, user = 'bob') => {
    const spec = specOf({ tenant: 'lists', ...facts }, user);
    return { ...spec, owner: { ...spec.owner, tenant: 'lists' } };
  };
  const specs = [own(), own(), own(), own({ format: 'anthropic' }), own({}, 'eve')];
  for (const spec of specs) await batches.create(spec);
  const ids = specs.map(({ batchId }) => batchId);
  const idsOf = async (user: string | null, before: string | null, limit = 10) => {
    const last = before === null ? null : await batches.head(before);
    const page = await batches.list({ tenant: 'lists', user, format: 'openai' }, { limit, before: last });
    return page.map(({ spec }) => spec.batchId);
  };
  const ofBob = await idsOf('bob', null);
  expect(new Set(ofBob)).toEqual(new Set(ids.slice(0, 3)));
  expect(await idsOf(null, null)).toHaveLength(4);
  const pages: string[] = [];
  for (let before: string | null = null; ; before = pages.at(-1) ?? null) {
    const page = await idsOf('bob', before, 1);
    if (page.length === 0) break;
    pages.push(...page);
  }
  expect(pages).toEqual(ofBob);
  expect(await batches.open(owner)).toHaveLength(4);
  await batches.change(ids[0] ?? '', { to: 'cancelled', from: ['validating'] });
  expect((await batches.open(owner)).map(({ spec }) => spec.batchId)).not.toContain(ids[0]);
  expect(await batches.open({ tenant: 'acme', user: 'bob' })).toEqual([]);
});

test('a fact of a hand-over stays as it was first noted, and is shown with its batch alone', async () => {
  const spec = specOf({ mode: 'vendor' });
  await batches.create(spec);
  const first = { vendorId: 'batch_a', keyId: 'k' };
  expect(await batches.keepHandover(spec.batchId, 'ref:0', first)).toEqual(first);
  expect(await batches.keepHandover(spec.batchId, 'ref:0', { vendorId: 'batch_b', keyId: 'k' })).toEqual(
    first,
  );
  await batches.keepHandover(spec.batchId, 'intent:0', { provider: 'openai', lines: 2, atMs: 1 });
  for (const doubt of ['doubt:0:a', 'doubt:0:b'] as const) {
    await batches.keepHandover(spec.batchId, doubt, { atMs: 1 });
  }
  await batches.dropDoubts(spec.batchId, ['doubt:0:a']);
  await batches.noteVendorProgress(spec.batchId, 1);
  await batches.noteVendorProgress(spec.batchId, 2);
  const { handover } = (await batches.head(spec.batchId)) ?? {};
  expect(handover).toMatchObject({
    done: 2,
    parts: [{ part: 0, doubts: ['doubt:0:b'], ref: first, end: null }],
  });
  const live = specOf();
  await batches.create(live);
  expect((await batches.head(live.batchId))?.handover).toBeNull();
  await batches.change(spec.batchId, { to: 'completed', from: ['validating'] });
  const head = await batches.head(spec.batchId);
  if (head === null) throw new Error('no head');
  await batches.remove(head);
  expect(await batches.handover(spec.batchId)).toMatchObject({ parts: [], done: 0 });
  await expect(batches.keepHandover(spec.batchId, 'live', { reason: 'x' })).rejects.toMatchObject({
    code: 'not_found',
  });
});
