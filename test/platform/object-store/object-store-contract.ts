/** What every object store must do. The same tests run on a folder and on a server of S3's protocol. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ObjectStore, ObjectTooLarge } from '../../../platform/object-store/object-store.ts';
import { garbageCollector } from '../../harness/garbage-collector.ts';

const MIB = 1024 * 1024;
const LARGE_BYTES = 200 * MIB;
/** Upload and download hold parts of the file alone. */
const HELD_BYTES = LARGE_BYTES / 2;
const LOOKS = 5;

interface StartedStore {
  readonly store: ObjectStore;
  stop(): Promise<void>;
}

export function testObjectStore(name: string, start: () => Promise<StartedStore>): void {
  describe(`the object store in ${name}`, () => {
    let started: StartedStore | undefined;
    const store = () => {
      if (started === undefined) throw new Error('The store has not started.');
      return started.store;
    };
    beforeAll(async () => {
      started = await start();
    });
    afterAll(() => started?.stop());
    testObjects(store);
    testStreams(store);
    testLists(store);
  });
}

function testObjects(store: () => ObjectStore): void {
  test('an object reads as it was written, is replaced as a whole, and is gone once deleted', async () => {
    expect(await store().get('whole/none')).toBeNull();
    await store().put('whole/one', Buffer.from('first'));
    await store().put('whole/one', Buffer.from('2nd'));
    expect(textOf(await store().get('whole/one'))).toBe('2nd');
    await store().put('whole/empty', new Uint8Array());
    expect(await store().get('whole/empty')).toHaveLength(0);
    await store().delete(['whole/one', 'whole/none']);
    expect(await store().get('whole/one')).toBeNull();
    expect(await store().download('whole/one')).toBeNull();
  });

  test.each([
    '',
    '/a',
    'a/',
    'a//b',
    '../a',
    'a/../b',
    '.hidden',
    'a/.b',
    'a b',
    'ä',
    'a\0',
    `${'a'.repeat(201)}`,
  ])('the key %j is refused before anything is touched', async (key) => {
    await expect(store().put(key, Buffer.from('x'))).rejects.toThrow('is not a key');
    await expect(store().get(key)).rejects.toThrow('is not a key');
    await expect(store().delete([key])).rejects.toThrow('is not a key');
  });
}

function testStreams(store: () => ObjectStore): void {
  test('a file of 200 MiB is written and read without being held in memory', async () => {
    const peak = new PeakBytes();
    const isWritten = store().upload('large/file', blocksOf(LARGE_BYTES));
    expect(await peak.during(isWritten)).toBe(LARGE_BYTES);
    const read = store()
      .download('large/file')
      .then(async (download) => {
        let bytes = 0;
        for await (const chunk of download?.body ?? []) bytes += chunk.byteLength;
        return [download?.bytes, bytes];
      });
    expect(await peak.during(read)).toEqual([LARGE_BYTES, LARGE_BYTES]);
    expect(peak.bytes).toBeLessThan(HELD_BYTES);
    await store().delete(['large/file']);
  });

  test('a range of bytes is read alone; one behind the end is empty', async () => {
    await store().upload('range/digits', oneByOne('0123456789'));
    const read = async (from: number, until?: number) => {
      const range = until === undefined ? { from } : { from, until };
      const download = await store().download('range/digits', range);
      const chunks: Uint8Array[] = [];
      for await (const chunk of download?.body ?? []) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      expect(download?.bytes).toBe(text.length);
      return text;
    };
    expect(await read(0)).toBe('0123456789');
    expect(await read(3, 5)).toBe('345');
    expect(await read(7)).toBe('789');
    expect(await read(8, 100)).toBe('89');
    expect(await read(10)).toBe('');
  });

  test('an upload that fails, is too large or is stopped leaves what the key had', async () => {
    await store().put('kept/object', Buffer.from('before'));
    const failing = async function* () {
      yield* blocksOf(20 * MIB);
      throw new Error('the source failed');
    };
    await expect(store().upload('kept/object', failing())).rejects.toThrow('the source failed');
    const tooLarge = store().upload('kept/object', blocksOf(20 * MIB), { atMostBytes: 17 * MIB });
    await expect(tooLarge).rejects.toBeInstanceOf(ObjectTooLarge);
    const stop = new AbortController();
    const endless = async function* () {
      for (;;) {
        yield Buffer.alloc(MIB);
        stop.abort();
        await sleep(1);
      }
    };
    await expect(store().upload('kept/object', endless(), { signal: stop.signal })).rejects.toThrow();
    expect(textOf(await store().get('kept/object'))).toBe('before');
    expect(await store().upload('kept/object', oneByOne('exact'), { atMostBytes: 5 })).toBe(5);
    expect((await store().list('kept/')).objects).toMatchObject([{ key: 'kept/object', bytes: 5 }]);
  });
}

function testLists(store: () => ObjectStore): void {
  test('a list has every key of the prefix once, in order, whatever the size of its pages', async () => {
    // A dot sorts before the slash and a letter after it, so folders and their neighbours interleave.
    const keys = ['a', 'a.b', 'a0', 'b/1', 'b/1.5', 'b/10', 'b/2/x', 'b/2.z', 'c/d/e/f'].map(
      (key) => `list/${key}`,
    );
    for (const key of [...keys, 'lisp/z', 'lists/a']) await store().put(key, Buffer.from(key));
    const expected = [...keys].sort();
    const inFolder = expected.filter((key) => /^list.b.1[^/]*$/.test(key));
    for (const limit of [1, 2, 4, 100]) {
      const listed: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await store().list('list/', after === undefined ? { limit } : { after, limit });
        expect(page.objects.length).toBeLessThanOrEqual(limit);
        listed.push(...page.objects.map(({ key }) => key));
        if (page.next === null) break;
        after = page.next;
      }
      expect([...listed].sort()).toEqual(expected);
      expect(listed.filter((key) => inFolder.includes(key))).toEqual(inFolder);
    }
    const [first] = (await store().list('list/b/2.')).objects;
    expect(first).toMatchObject({ key: 'list/b/2.z', bytes: 'list/b/2.z'.length });
    expect(Math.abs(Date.now() - (first?.writtenAtMs ?? 0))).toBeLessThan(3_600_000);
    expect((await store().list('none/')).objects).toEqual([]);
    await store().delete(expected);
    expect(await store().list('list/')).toEqual({ objects: [], next: null });
  });

  test('objects of one folder that are written and deleted at the same time do not disturb each other', async () => {
    await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        for (let round = 0; round < 4; round += 1) {
          await store().put(`busy/folder/${index}`, Buffer.from(String(index)));
          expect(textOf(await store().get(`busy/folder/${index}`))).toBe(String(index));
          await store().delete([`busy/folder/${index}`]);
        }
      }),
    );
    expect((await store().list('busy/')).objects).toEqual([]);
  });
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString();
}

async function* oneByOne(text: string): AsyncGenerator<Uint8Array> {
  for (const char of text) yield Buffer.from(char);
}

async function* blocksOf(bytes: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; left -= MIB) yield Buffer.alloc(Math.min(left, MIB), left % 251);
}

/**
 * The most bytes that buffers of this process held beyond those at the beginning. What is gone at one of the next looks
 * was garbage: a busy machine frees it late.
 */
class PeakBytes {
  readonly #collect = garbageCollector();
  readonly #before = process.memoryUsage().arrayBuffers;
  #seen: readonly number[] = [];
  bytes = 0;

  async during<Result>(work: Promise<Result>): Promise<Result> {
    const look = setInterval(() => {
      if (process.memoryUsage().arrayBuffers - this.#before > HELD_BYTES) this.#collect();
      this.#seen = [...this.#seen.slice(1 - LOOKS), process.memoryUsage().arrayBuffers - this.#before];
      if (this.#seen.length === LOOKS) this.bytes = Math.max(this.bytes, Math.min(...this.#seen));
    }, 5);
    return work.finally(() => clearInterval(look));
  }
}
