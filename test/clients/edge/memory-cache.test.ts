import { describe, expect, test } from '@jest/globals';
import { keep, readKept } from '../../../clients/edge/edge-cache.ts';
import { createMemoryCache } from '../../../clients/edge/memory-cache.ts';

describe('the cache in memory', () => {
  test('gives back what is kept, as often as it is asked', async () => {
    const cache = createMemoryCache();
    await keep(cache, 'a', { one: 1 }, 60);
    expect(await readKept(cache, 'a')).toEqual({ one: 1 });
    expect(await readKept(cache, 'a')).toEqual({ one: 1 });
    expect(await readKept(cache, 'b')).toBeNull();
  });

  test('forgets what is deleted or too old', async () => {
    const cache = createMemoryCache();
    await keep(cache, 'a', { one: 1 }, 60);
    expect(await cache.delete('a')).toBe(true);
    expect(await readKept(cache, 'a')).toBeNull();
    await keep(cache, 'b', { one: 1 }, 0);
    expect(await readKept(cache, 'b')).toBeNull();
  });

  test('drops the oldest when it is full, and what is larger than all of it at once', async () => {
    const cache = createMemoryCache(100);
    for (const key of ['a', 'b', 'c']) await keep(cache, key, { text: 'x'.repeat(30) }, 60);
    expect(await readKept(cache, 'a')).toBeNull();
    expect(await readKept(cache, 'c')).not.toBeNull();
    await keep(cache, 'd', { text: 'x'.repeat(200) }, 60);
    expect(await readKept(cache, 'd')).toBeNull();
  });
});
