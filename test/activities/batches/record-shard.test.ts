/** The results of a shard, where two attempts at them overlap. */
import { expect, test } from '@jest/globals';
import type { BatchDependencies } from '../../../activities/batches/batch-dependencies.ts';
import { writeShard } from '../../../activities/batches/record-shard.ts';
import type { RecordShard } from '../../../contracts/batches.ts';
import type { LineResponse, LineResult } from '../../../engine/batches/batch-line.ts';

const SHARD: RecordShard = {
  tenant: 'acme',
  batchId: 'batch_1',
  shard: 0,
  lines: 1,
  shardLines: 1,
  deadlineAtMs: Number.MAX_SAFE_INTEGER,
  stop: null,
};
const REFUSAL: LineResponse = { statusCode: 404, body: { error: 'no such model' } };

/** One line, which was refused. The refusal is deleted with the note that the shard is recorded. */
function around(beforeNoted: () => Promise<void> = async () => undefined) {
  const store = { refused: new Map([[0, REFUSAL]]), noted: new Set<number>(), results: '' };
  const dependencies = {
    batches: {
      head: async () => ({ status: 'in_progress' }),
      spec: async () => ({ endpoint: '/v1/chat/completions', inputKey: 'input' }),
      refused: async () => new Map(store.refused),
      keptAnswers: async () => new Map(),
      notedShards: async () => {
        const noted = new Set(store.noted);
        await beforeNoted();
        return noted;
      },
      noteShard: async () => {
        store.noted.add(0);
        store.refused.clear();
      },
    },
    batchObjects: {
      readOffsets: async () => [0, 1],
      readLines: async function* () {
        yield new Uint8Array();
      },
      writeResults: async (_: unknown, lines: AsyncIterable<string>) => {
        let written = '';
        for await (const line of lines) written += line;
        store.results = written;
      },
    },
    lineFormats: {
      answer: async () => 'missing',
      endStranded: async () => undefined,
      write: (_spec: unknown, _line: unknown, result: LineResult) => JSON.stringify(result),
    },
    readLine: () => ({ index: 0, customId: 'a', body: {} }),
    nowMs: () => 0,
  } as unknown as BatchDependencies;
  return { store, dependencies };
}

test('an attempt that another has overtaken leaves the results as they are', async () => {
  const thaw = Promise.withResolvers<void>();
  // The first attempt hangs once it has seen that the shard is not recorded; the second does not.
  const pauses = [thaw.promise];
  const { store, dependencies } = around(async () => pauses.shift());
  const late = writeShard(dependencies, SHARD);
  await writeShard(dependencies, SHARD);
  const { results } = store;
  expect(results).toContain('no such model');
  thaw.resolve();
  await late;
  expect(store.results).toBe(results);
});
