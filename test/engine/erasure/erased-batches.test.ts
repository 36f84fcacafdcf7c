/** What an erasure does with a batch on a real Redis and a folder, also with one whose run was terminated. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { BatchObjects } from '../../../engine/batches/batch-objects.ts';
import type { BatchSpec } from '../../../engine/batches/batch-store.ts';
import { RedisBatchStore } from '../../../engine/batches/redis-batch-store.ts';
import { keyErasers } from '../../../engine/erasure/key-erasers.ts';
import { RedisErasures } from '../../../engine/erasure/redis-erasures.ts';
import { sweepKeys } from '../../../engine/erasure/redis-sweep.ts';
import { objectKeyOf, RedisFileStore } from '../../../engine/files/redis-file-store.ts';
import { FolderObjectStore } from '../../../platform/object-store/folder-object-store.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-erased-batches-'));
let server: TestRedis;
let redis: RedisConnection;
let batches: RedisBatchStore;
let batchObjects: BatchObjects;
let files: RedisFileStore;
beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
  const store = await FolderObjectStore.open(folder);
  batches = new RedisBatchStore(redis, { keptMs: 60_000 });
  batchObjects = new BatchObjects(store);
  files = new RedisFileStore(redis, store, { bytesPerTenant: null, isRead: async () => false });
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function* bodyOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

/** A message batch, whose input was uploaded for it alone, as its run leaves it when it is terminated. */
async function terminatedBatch(user: string): Promise<BatchSpec> {
  const file = { tenant: 'acme', fileId: `file-of-${user}` };
  const spec: BatchSpec = {
    tenant: 'acme',
    batchId: `msgbatch_of_${user}`,
    owner: { tenant: 'acme', user, team: null, keyId: 'key', scopes: [] },
    format: 'anthropic',
    endpoint: '/v1/messages',
    inputKey: objectKeyOf(file),
    inputFileId: file.fileId,
    ownsInput: true,
    completionWindow: '24h',
    deadlineAtMs: Date.now() + 60_000,
    outputKeptMs: 60_000,
    headers: {},
    metadata: null,
    requestHash: 'hash',
  };
  await files.upload(file, bodyOf(`a question of ${user}`));
  await batches.create(spec);
  const facts = { plan: { lines: 2, shardLines: 1 } };
  await batches.change(spec.batchId, { to: 'in_progress', from: ['validating'], facts });
  await batchObjects.writeOffsets(spec, Uint32Array.of(0, 1, 2));
  const answer = { file: 'output', json: '"an answer"' } as const;
  await batchObjects.writeResults(
    { ...spec, shard: 1 },
    (async function* () {
      yield answer;
    })(),
  );
  return spec;
}

const objects = () =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1));

test('a batch whose run was terminated goes with its input, its places and its results', async () => {
  await terminatedBatch('ann');
  const kept = await terminatedBatch('bob');
  const ofBob = objects().filter((name) => name.includes('bob'));
  expect(ofBob).toHaveLength(3);
  const erasures = new RedisErasures(redis, { keptMs: 60_000 });
  const id = await erasures.open({ tenant: 'acme', user: 'ann', jobId: null });
  const scope = await erasures.scope('acme', id);
  if (scope === null) throw new Error('it was lost');
  const found = erasures.found(scope);
  const stores = { redis, batches, batchObjects, files, runs: { end: async () => true } };
  // Nothing else of the user is there.
  const erasers = Object.values(keyErasers(stores as unknown as Parameters<typeof keyErasers>[0]));
  const progress = { from: null, report: () => undefined, signal: AbortSignal.timeout(60_000) };
  const pass = () => sweepKeys({ redis, erasers, scope, found }, progress);
  expect(await pass()).toEqual({ found: 1, pending: 0 });
  expect(await pass()).toEqual({ found: 0, pending: 0 });
  expect(objects().sort()).toEqual(ofBob.sort());
  expect(await batches.head('msgbatch_of_ann')).toBeNull();
  expect((await batches.head(kept.batchId))?.status).toBe('in_progress');
  expect([await found.all('batches'), await found.all('files')]).toEqual([['msgbatch_of_ann'], []]);
});
