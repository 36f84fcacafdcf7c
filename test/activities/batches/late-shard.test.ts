/** A worker that was cut off while it recorded a shard, and comes back when the batch is over. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeShard } from '../../../activities/batches/record-shard.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { readLine } from '../../../engine/batches/batch-line.ts';
import { BatchObjects } from '../../../engine/batches/batch-objects.ts';
import type { BatchSpec } from '../../../engine/batches/batch-store.ts';
import type { LineFormats } from '../../../engine/batches/line-formats.ts';
import { RedisBatchStore } from '../../../engine/batches/redis-batch-store.ts';
import { FolderObjectStore } from '../../../platform/object-store/folder-object-store.ts';
import { startTestRedis, type TestRedis } from '../../engine/streaming/redis-server.ts';

const PLAN = { lines: 1, shardLines: 1 };
const LINE = JSON.stringify({ custom_id: 'a', body: {} });
const folder = mkdtempSync(join(tmpdir(), 'unbroken-late-shard-'));
let server: TestRedis;
let batches: RedisBatchStore;
let batchObjects: BatchObjects;
beforeAll(async () => {
  server = await startTestRedis();
  batches = new RedisBatchStore(await server.connect(), { keptMs: 60_000 });
  const store = await FolderObjectStore.open(folder);
  await store.put('input', Buffer.from(LINE));
  batchObjects = new BatchObjects(store);
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function begin(batchId: string): Promise<BatchSpec> {
  const spec: BatchSpec = {
    tenant: 'acme',
    batchId,
    owner: { tenant: 'acme', user: 'ann', team: null, keyId: 'key', scopes: [] },
    format: 'openai',
    endpoint: '/v1/chat/completions',
    inputKey: 'input',
    inputFileId: 'file',
    completionWindow: '24h',
    deadlineAtMs: Date.now() + 60_000,
    outputKeptMs: 60_000,
    headers: {},
    metadata: null,
    requestHash: 'hash',
  };
  await batches.create(spec);
  await batchObjects.writeOffsets(spec, Uint32Array.of(0, Buffer.byteLength(LINE)));
  return spec;
}

/** Records the shard; `meanwhile` happens while it reads the answer of its line. */
async function record(spec: BatchSpec, meanwhile: () => Promise<void>): Promise<void> {
  const response = { statusCode: 200, body: { text: 'an answer' } };
  const answer: LineFormats['answer'] = async () => {
    await meanwhile();
    return { result: { kind: 'completed', response }, usage: NO_USAGE, costMicroUsd: 0 };
  };
  const write: LineFormats['write'] = () => ({ file: 'output', json: JSON.stringify(response.body) });
  const unused = () => Promise.reject(new Error('not used'));
  const submits = { generationsOf: () => 1, order: unused, embed: unused, book: unused };
  const lineFormats = { ...submits, answer, endStranded: unused, write, refusal: () => null };
  const { tenant, batchId, deadlineAtMs } = spec;
  const shard = { tenant, batchId, shard: 0, ...PLAN, deadlineAtMs, stop: null };
  await writeShard({ batches, batchObjects, lineFormats, nowMs: Date.now, readLine }, shard);
}

const objectsOf = ({ batchId }: BatchSpec) =>
  readdirSync(join(folder, 'batches'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && `${entry.parentPath}/`.includes(`/${batchId}/`))
    .map(({ name }) => name);

test('the results of a shard stay until the end of their batch', async () => {
  const spec = await begin('batch_open');
  await record(spec, async () => undefined);
  expect(objectsOf(spec).sort()).toEqual(['0', 'offsets']);
});

test.each([
  [
    'has ended',
    async (spec: BatchSpec) => {
      await batches.change(spec.batchId, { to: 'completed', from: ['validating'] });
    },
  ],
  [
    'was erased',
    async (spec: BatchSpec) => {
      const head = await batches.head(spec.batchId);
      if (head !== null) await batches.remove(head);
    },
  ],
])('a late worker leaves nothing of a batch that %s', async (title, end) => {
  const spec = await begin(`batch_${title.replace(' ', '_')}`);
  await record(spec, async () => {
    await end(spec);
    await batchObjects.delete(spec, 1);
  });
  expect(objectsOf(spec)).toEqual([]);
});
