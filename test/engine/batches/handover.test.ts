/** Which line is in which batch of a vendor, what is noted of these, and where the answers lie. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BatchObjects } from '../../../engine/batches/batch-objects.ts';
import {
  type HandedLine,
  handoverOf,
  PartPlan,
  type PreparedLine,
} from '../../../engine/batches/handover.ts';
import { HandoverObjects, type VendorAnswer } from '../../../engine/batches/handover-objects.ts';
import { FolderObjectStore } from '../../../platform/object-store/folder-object-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-handover-'));
let store: FolderObjectStore;
let objects: HandoverObjects;
beforeAll(async () => {
  store = await FolderObjectStore.open(folder);
  objects = new HandoverObjects(store);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const handed = (provider: string, group: string, bytes: number): HandedLine => ({
  candidate: { provider, model: 'm' },
  group,
  bytes,
});
const most = { lines: 4, bytes: 100 };

test('each line is in one part, of its provider and group, which its vendor takes', () => {
  const line = fc.record({
    provider: fc.constantFrom('openai', 'anthropic'),
    group: fc.constantFrom('a', 'b'),
    bytes: fc.integer({ min: 1, max: 99 }),
  });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
      const plan = new PartPlan(() => most);
      for (const [index, { provider, group, bytes }] of lines.entries()) {
        plan.add(index, handed(provider, group, bytes));
      }
      const parts = plan.parts();
      expect(parts.map(({ part }) => part)).toEqual(parts.map((_, index) => index));
      const all = parts.flatMap(({ indexes }) => indexes);
      expect(all.toSorted((a, b) => a - b)).toEqual(lines.map((_, index) => index));
      for (const { provider, indexes } of parts) {
        const own = indexes.map((index) => lines[index]);
        expect(new Set(own.map((line) => `${line?.provider} ${line?.group}`)).size).toBe(1);
        expect(own[0]?.provider).toBe(provider);
        expect(own.length).toBeLessThanOrEqual(most.lines);
        const bytes = own.reduce((sum, line) => sum + (line?.bytes ?? 0) + 1, 0);
        expect(bytes).toBeLessThanOrEqual(most.bytes);
        expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
      }
    }),
  );
});

test('what is noted of the parts is read in their order, up to the first that was not begun', () => {
  const intent = { provider: 'openai', lines: 3, atMs: 5 };
  const ref = { vendorId: 'batch_1', keyId: 'k' };
  const facts = new Map<string, unknown>([
    ['plan', { liveAtMs: 9 }],
    ['intent:1', intent],
    ['intent:0', intent],
    ['ref:0', ref],
    ['end:0', { state: 'ended', message: null }],
    ['doubt:1:x', { atMs: 6 }],
    ['doubt:10:y', { atMs: 6 }],
  ]);
  expect(handoverOf(facts, 2)).toEqual({
    liveReason: null,
    liveAtMs: 9,
    done: 2,
    answers: null,
    parts: [
      { ...intent, part: 0, doubts: [], ref, end: { state: 'ended', message: null } },
      { ...intent, part: 1, doubts: ['doubt:1:x'], ref: null, end: null },
    ],
  });
});

const name = { tenant: 'acme', batchId: 'batch_1' };
const plan = { lines: 5, shardLines: 2 };

async function* answersOf(...lines: readonly number[]): AsyncGenerator<VendorAnswer> {
  for (const line of lines)
    yield { line, keyId: `key ${line}`, body: { text: `ü${'x'.repeat(line)}`, line } };
}

test('the answer to a line is found whatever the order in which answers came, and others have none', async () => {
  expect(await objects.readPlaces({ ...name, ...plan, shard: 0 })).toEqual([null, null]);
  expect(await objects.writeAnswers({ ...name, lines: 5 }, answersOf(4, 0, 3, 9))).toBe(3);
  const found: unknown[] = [];
  for (const shard of [0, 1, 2]) {
    for (const place of await objects.readPlaces({ ...name, ...plan, shard })) {
      found.push(place === null ? null : await objects.readAnswer(name, place));
    }
  }
  const answer = (line: number) => ({ keyId: `key ${line}`, body: { text: `ü${'x'.repeat(line)}`, line } });
  expect(found).toEqual([answer(0), null, null, answer(3), answer(4)]);
  // A repeated step writes the same.
  expect(await objects.writeAnswers({ ...name, lines: 5 }, answersOf(4, 0, 3, 9))).toBe(3);
});

test('prepared lines are read as they were written, and go with their batch', async () => {
  const shard = { ...name, shard: 1 };
  expect(await objects.readPrepared(shard)).toBeNull();
  const line = { line: 2, order: { generationId: 'gen_1' }, reservation: null, handed: null };
  await objects.writePrepared(shard, [line as unknown as PreparedLine]);
  expect(await objects.readPrepared(shard)).toEqual([line]);
  await new BatchObjects(store).delete(name, 3);
  expect((await store.list('batches/')).objects).toEqual([]);
});
