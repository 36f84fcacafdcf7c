/**
 * What the hand-over of a batch keeps in the object store until the batch has ended: its prepared lines by shard, and
 * the answers of the vendors, in the order in which they came. An index says where the answer to each line lies.
 */
import type { BatchPlan, ShardName } from '../../contracts/batches.ts';
import { parseJson } from '../../contracts/json.ts';
import { OBJECT_FOLDERS } from '../../contracts/names.ts';
import { keyPart, type ObjectStore } from '../../platform/object-store/object-store.ts';
import type { PreparedLine } from './handover.ts';

type Name = Omit<ShardName, 'shard'>;

/** What a vendor has answered to a line, and the key whose account it belongs to. */
export interface VendorAnswer {
  readonly line: number;
  readonly keyId: string;
  readonly body: unknown;
}

/** Where an answer lies: bytes, the second exclusive. */
export interface AnswerPlace {
  readonly from: number;
  readonly until: number;
}

/** Two numbers for each line; both are 0 where it has no answer. */
const PLACE_BYTES = 2 * Float64Array.BYTES_PER_ELEMENT;

export class HandoverObjects {
  readonly #store: ObjectStore;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async writePrepared(shard: ShardName, lines: readonly PreparedLine[]): Promise<void> {
    await this.#store.put(preparedKey(shard, shard.shard), Buffer.from(JSON.stringify(lines)));
  }

  /** @returns null if the shard was not prepared. */
  async readPrepared(shard: ShardName): Promise<readonly PreparedLine[] | null> {
    const bytes = await this.#store.get(preparedKey(shard, shard.shard));
    return bytes === null ? null : (JSON.parse(Buffer.from(bytes).toString()) as PreparedLine[]);
  }

  /** @returns how many lines are answered. */
  async writeAnswers(
    { lines, ...name }: Name & Pick<BatchPlan, 'lines'>,
    answers: AsyncIterable<VendorAnswer>,
  ): Promise<number> {
    const places = new Float64Array(2 * lines);
    const answered = new Set<number>();
    let at = 0;
    const body = (async function* () {
      for await (const { line, keyId, body: whole } of answers) {
        if (line >= lines) continue;
        const bytes = Buffer.from(JSON.stringify({ keyId, body: whole }));
        places.set([at, at + bytes.byteLength], 2 * line);
        at += bytes.byteLength;
        answered.add(line);
        yield bytes;
      }
    })();
    await this.#store.upload(answersKey(name), body);
    // After the answers: what the index names is there.
    await this.#store.put(placesKey(name), bytesOf(places));
    return answered.size;
  }

  /** Of the lines of a shard, in their order: null for a line without an answer. */
  async readPlaces({
    shard,
    lines,
    shardLines,
    ...name
  }: ShardName & BatchPlan): Promise<readonly (AnswerPlace | null)[]> {
    const first = shard * shardLines;
    const count = Math.max(0, Math.min(shardLines, lines - first));
    const none = Array.from({ length: count }, () => null);
    if (count === 0) return none;
    const range = { from: first * PLACE_BYTES, until: (first + count) * PLACE_BYTES - 1 };
    const bytes = await this.#readRange(placesKey(name), range);
    if (bytes === null) return none;
    return none.map((_, index) => {
      const at = index * PLACE_BYTES;
      const [from, until] = [bytes.readDoubleLE(at), bytes.readDoubleLE(at + PLACE_BYTES / 2)];
      return until === 0 ? null : { from, until };
    });
  }

  async readAnswer(name: Name, { from, until }: AnswerPlace): Promise<Omit<VendorAnswer, 'line'>> {
    const bytes = await this.#readRange(answersKey(name), { from, until: until - 1 });
    if (bytes === null) throw new Error(`The object store has no ${answersKey(name)}.`);
    return parseJson(bytes.toString()) as Omit<VendorAnswer, 'line'>;
  }

  async #readRange(key: string, range: { readonly from: number; readonly until: number }) {
    const download = await this.#store.download(key, range);
    if (download === null) return null;
    const chunks: Uint8Array[] = [];
    for await (const chunk of download.body) chunks.push(chunk);
    return Buffer.concat(chunks);
  }
}

/** All keys, for the deletion of a batch. */
export function handoverKeys(name: Name, shards: number): readonly string[] {
  const prepared = Array.from({ length: shards }, (_, shard) => preparedKey(name, shard));
  return [...prepared, answersKey(name), placesKey(name)];
}

/** In an order of bytes that does not depend on the machine. */
function bytesOf(numbers: Float64Array): Buffer {
  const bytes = Buffer.alloc(numbers.byteLength);
  for (const [index, value] of numbers.entries()) {
    bytes.writeDoubleLE(value, index * Float64Array.BYTES_PER_ELEMENT);
  }
  return bytes;
}

function preparedKey(name: Name, shard: number): string {
  return keyOf(name, `prepared/${shard}`);
}

function answersKey(name: Name): string {
  return keyOf(name, 'answers');
}

function placesKey(name: Name): string {
  return keyOf(name, 'places');
}

function keyOf({ tenant, batchId }: Name, part: string): string {
  return `${OBJECT_FOLDERS.batches}/${keyPart(tenant)}/${keyPart(batchId)}/${part}`;
}
