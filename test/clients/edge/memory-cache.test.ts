import { describe, expect, test } from '@jest/globals';
import { readCached, writeCached } from '../../../clients/edge/edge-cache.ts';
import { MemoryCache } from '../../../clients/edge/memory-cache.ts';

describe('the memory cache', () => {
  test('returns a stored entry every time', async () => {
    const cache = new MemoryCache();
    await writeCached(cache, 'a', { value: { one: 1 }, maxAgeSeconds: 60 });
    expect(await readCached(cache, 'a')).toEqual({ one: 1 });
    expect(await readCached(cache, 'a')).toEqual({ one: 1 });
    expect(await readCached(cache, 'b')).toBeNull();
  });

  test('forgets deleted and expired entries', async () => {
    const cache = new MemoryCache();
    await writeCached(cache, 'a', { value: { one: 1 }, maxAgeSeconds: 60 });
    expect(await cache.delete('a')).toBe(true);
    expect(await readCached(cache, 'a')).toBeNull();
    await writeCached(cache, 'b', { value: { one: 1 }, maxAgeSeconds: 0 });
    expect(await readCached(cache, 'b')).toBeNull();
  });

  test('drops the oldest entry when it is full, and an entry that exceeds the limit alone', async () => {
    const cache = new MemoryCache(100);
    for (const key of ['a', 'b', 'c'])
      await writeCached(cache, key, { value: { text: 'x'.repeat(30) }, maxAgeSeconds: 60 });
    expect(await readCached(cache, 'a')).toBeNull();
    expect(await readCached(cache, 'c')).not.toBeNull();
    await writeCached(cache, 'd', { value: { text: 'x'.repeat(200) }, maxAgeSeconds: 60 });
    expect(await readCached(cache, 'd')).toBeNull();
  });
});
