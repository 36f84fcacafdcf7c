/**
 * What a batch keeps in the object store beside its files: where the lines of its input begin, and the results of each
 * shard. Each object is written as a whole and holds the same bytes whenever it is written again, so a step that is
 * repeated after a crash changes nothing.
 */

import { BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import type { BatchPlan, ShardName } from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { OBJECT_FOLDERS } from '../../contracts/names.ts';
import { keyPart, type ObjectStore } from '../../platform/object-store/object-store.ts';
import { handoverKeys } from './handover-objects.ts';
import { splitLines } from './split-lines.ts';

/** Which file of the batch a result belongs to. */
export type ResultFile = 'output' | 'error';

export interface ResultLine {
  readonly file: ResultFile;
  /** Without newlines. */
  readonly json: string;
}

type Name = Omit<ShardName, 'shard'>;

const OFFSET_BYTES = Uint32Array.BYTES_PER_ELEMENT;
/** The first byte of each result says to which file it belongs. */
const MARKS = { output: 'o', error: 'e' } as const;
const NEWLINE = Buffer.from('\n');

export class BatchObjects {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async writeOffsets(name: Name, offsets: Uint32Array): Promise<void> {
    const bytes = Buffer.alloc(offsets.length * OFFSET_BYTES);
    for (const [index, offset] of offsets.entries()) bytes.writeUInt32LE(offset, index * OFFSET_BYTES);
    await this.#store.put(keyOf(name, 'offsets'), bytes);
  }

  /** Where the lines of a shard begin, and where its last one ends. */
  async readOffsets(shard: ShardName & BatchPlan): Promise<readonly number[]> {
    const { first, count } = linesOf(shard);
    const range = { from: first * OFFSET_BYTES, until: (first + count + 1) * OFFSET_BYTES - 1 };
    const bytes = await this.#readRange(keyOf(shard, 'offsets'), range);
    return Array.from({ length: count + 1 }, (_, index) => bytes.readUInt32LE(index * OFFSET_BYTES));
  }

  /** A part of an input. @throws not_found if it was deleted */
  async readInput(inputKey: string, from: number, until: number): Promise<Uint8Array> {
    return this.#readRange(inputKey, { from, until: until - 1 });
  }

  /** The lines of a shard in their order, read as they are asked for. @throws not_found */
  async *readLines(inputKey: string, offsets: readonly number[]): AsyncGenerator<Uint8Array> {
    const [from = 0] = offsets;
    const download = await this.#store.download(inputKey, { from, until: (offsets.at(-1) ?? 1) - 1 });
    if (download === null) throw missing(inputKey);
    for await (const { bytes } of splitLines(download.body, LIMITS.mostBodyBytes)) yield bytes;
  }

  async writeResults(shard: ShardName, lines: AsyncIterable<ResultLine>): Promise<void> {
    const body = (async function* () {
      for await (const { file, json } of lines) yield Buffer.from(`${MARKS[file]}${json}\n`);
    })();
    await this.#store.upload(resultsKey(shard), body);
  }

  /** The results of all shards in the order of their lines. @param file absent: of both files */
  async *readResults(name: Name, shards: number, file?: ResultFile): AsyncGenerator<Uint8Array> {
    for (let shard = 0; shard < shards; shard += 1) {
      const key = resultsKey({ ...name, shard });
      const download = await this.#store.download(key);
      if (download === null) throw missing(key);
      for await (const { bytes } of splitLines(download.body, BATCH_LIMITS.resultLineBytes)) {
        const isOfFile = file === undefined || bytes[0] === MARKS[file].charCodeAt(0);
        if (isOfFile) yield Buffer.concat([bytes.subarray(1), NEWLINE]);
      }
    }
  }

  async deleteResults(shard: ShardName): Promise<void> {
    await this.#store.delete([resultsKey(shard)]);
  }

  /** Deletes all but the files. */
  async delete(name: Name, shards: number): Promise<void> {
    const results = Array.from({ length: shards }, (_, shard) => resultsKey({ ...name, shard }));
    await this.#store.delete([...results, keyOf(name, 'offsets'), ...handoverKeys(name, shards)]);
  }

  async #readRange(key: string, range: { readonly from: number; readonly until: number }): Promise<Buffer> {
    const download = await this.#store.download(key, range);
    if (download === null) throw missing(key);
    const chunks: Uint8Array[] = [];
    for await (const chunk of download.body) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
}

/** The lines of a shard: the first, from 0, and how many. */
function linesOf({ shard, lines, shardLines }: Pick<ShardName, 'shard'> & BatchPlan): {
  readonly first: number;
  readonly count: number;
} {
  const first = shard * shardLines;
  return { first, count: Math.max(0, Math.min(shardLines, lines - first)) };
}

function resultsKey(shard: ShardName): string {
  return keyOf(shard, `results/${shard.shard}`);
}

function keyOf({ tenant, batchId }: Name, part: string): string {
  return `${OBJECT_FOLDERS.batches}/${keyPart(tenant)}/${keyPart(batchId)}/${part}`;
}

function missing(key: string): UnbrokenError {
  return new UnbrokenError('not_found', `The object store has no ${key}.`);
}
