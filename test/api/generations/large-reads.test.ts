import { expect, test } from '@jest/globals';
import { readInTurn } from '../../../api/generations/large-reads.ts';

const LARGE = 1024 * 1024;

/** Reads that end when the test ends them, and the order in which they began. */
function newReads() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const read = (tenant: string, name: string, bytes = LARGE) =>
    readInTurn(tenant, bytes, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise(setImmediate);
  };
  return { begun, read, end };
}

test('large inputs are read two at a time, round-robin by tenant, and small ones at once', async () => {
  const { begun, read, end } = newReads();
  const all = ['a1', 'a2', 'a3', 'a4', 'b1'].map((name) => read(name.slice(0, 1), name));
  all.push(read('b', 'small', 1_000));
  expect(begun).toEqual(['a1', 'a2', 'small']);
  for (const [name, next] of [
    ['a1', 'a3'],
    ['a2', 'b1'],
    ['a3', 'a4'],
  ] as const) {
    await end(name);
    expect(begun.at(-1)).toBe(next);
  }
  for (const name of ['a4', 'b1', 'small']) await end(name);
  await Promise.all(all);
});

test('a read that fails gives its place to the next', async () => {
  const fails = () =>
    readInTurn('a', LARGE, async () => {
      throw new Error('gone');
    });
  const outcomes = await Promise.allSettled(Array.from({ length: 9 }, fails));
  expect(outcomes.map(({ status }) => status)).toEqual(Array(9).fill('rejected'));
  expect(await readInTurn('a', LARGE, async () => 'read')).toBe('read');
});
