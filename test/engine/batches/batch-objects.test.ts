/** The objects of a batch in a folder: lines by their places, and the files that are put together of shards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readLine } from '../../../engine/batches/batch-line.ts';
import { BatchObjects, type ResultLine } from '../../../engine/batches/batch-objects.ts';
import { FolderObjectStore } from '../../../platform/object-store/folder-object-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-batch-objects-'));
let store: FolderObjectStore;
let objects: BatchObjects;
beforeAll(async () => {
  store = await FolderObjectStore.open(folder);
  objects = new BatchObjects(store);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const name = { tenant: 'acme', batchId: 'batch_1' };
const plan = { lines: 5, shardLines: 2 };
const ENDPOINT = '/v1/chat/completions';

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += Buffer.from(chunk).toString();
  return text;
}

async function* linesOf(...lines: ResultLine[]): AsyncGenerator<ResultLine> {
  yield* lines;
}

test('each shard finds its own lines, also with blank lines between them', async () => {
  const lines = ['a', 'bb', 'ü', 'dddd', 'e'].map((id) => JSON.stringify({ custom_id: id, body: { id } }));
  const text = `${lines[0]}\n${lines[1]}\n\n${lines[2]}\r\n${lines[3]}\n${lines[4]}`;
  await store.put('input', Buffer.from(text));
  const offsets = lines.map((line) => Buffer.byteLength(text.slice(0, text.indexOf(line))));
  await objects.writeOffsets(name, Uint32Array.from([...offsets, Buffer.byteLength(text)]));
  const found: string[] = [];
  for (const shard of [0, 1, 2]) {
    const own = await objects.readOffsets({ ...name, ...plan, shard });
    expect(own).toHaveLength(shard === 2 ? 2 : 3);
    const first = shard * plan.shardLines;
    const read: string[] = [];
    for await (const bytes of objects.readLines('input', own)) {
      read.push(readLine(bytes, first + read.length, ENDPOINT).customId);
    }
    for (const [index, from] of own.slice(0, -1).entries()) {
      const bytes = await objects.readInput('input', from, own[index + 1] ?? 0);
      expect(readLine(bytes, first + index, ENDPOINT).customId).toBe(read[index]);
    }
    found.push(...read);
  }
  expect(found).toEqual(['a', 'bb', 'ü', 'dddd', 'e']);
  await expect(objects.readInput('gone', 0, 1)).rejects.toMatchObject({ code: 'not_found' });
});

test('files have the results of all shards in order, each in the file that it belongs to', async () => {
  const batch = { ...name, batchId: 'batch_2' };
  await objects.writeResults({ ...batch, shard: 1 }, linesOf({ file: 'output', json: '"c"' }));
  await objects.writeResults(
    { ...batch, shard: 0 },
    linesOf({ file: 'output', json: '"a"' }, { file: 'error', json: '"b"' }),
  );
  // Written again, as after a crash, it is the same.
  await objects.writeResults({ ...batch, shard: 1 }, linesOf({ file: 'output', json: '"c"' }));
  expect(await textOf(objects.readResults(batch, 2, 'output'))).toBe('"a"\n"c"\n');
  expect(await textOf(objects.readResults(batch, 2, 'error'))).toBe('"b"\n');
  expect(await textOf(objects.readResults(batch, 2))).toBe('"a"\n"b"\n"c"\n');
  await objects.delete(batch, 2);
  await expect(textOf(objects.readResults(batch, 2))).rejects.toMatchObject({ code: 'not_found' });
});

test('a shard whose results cannot be made keeps none', async () => {
  const shard = { ...name, batchId: 'batch_3', shard: 0 };
  const failing = (async function* (): AsyncGenerator<ResultLine> {
    yield { file: 'output', json: '"a"' };
    throw new Error('a line still runs');
  })();
  await expect(objects.writeResults(shard, failing)).rejects.toThrow('still runs');
  await expect(textOf(objects.readResults(shard, 1))).rejects.toMatchObject({ code: 'not_found' });
});
