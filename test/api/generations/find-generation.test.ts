import { describe, expect, test } from '@jest/globals';
import type { Caller } from '../../../api/access/api-keys.ts';
import { findGeneration } from '../../../api/generations/find-generation.ts';
import { cacheModes, cacheUseOf, withoutStoring } from '../../../contracts/cache-mode.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { creationOf } from '../../engine/streaming/log-stand.ts';
import { MemoryRedis } from '../../simulation/memory-redis.ts';

const ANN: Caller = { tenant: 'acme', user: 'ann', team: null, keyId: 'key_1', scopes: ['generate'] };

async function find(caller: Partial<Caller>, origin?: object): Promise<string> {
  const log = new RedisEventLog(new MemoryRedis(), { retentionMs: 60_000 });
  await log.create({ ...creationOf('gen_of_ann'), origin });
  const runs = { has: async () => false } as unknown as Parameters<typeof findGeneration>[0]['runs'];
  return findGeneration({ log, runs }, { ...ANN, ...caller }, 'gen_of_ann').then(
    (head) => head.generationId,
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'odd'),
  );
}

describe('a generation', () => {
  test('is found by its own user', async () => {
    expect(await find({})).toBe('gen_of_ann');
    expect(await find({ onlyGeneration: 'gen_of_ann' })).toBe('gen_of_ann');
  });

  test('is found by a key of its tenant that may act for any user', async () => {
    expect(await find({ user: 'bob', scopes: ['generate', 'any-user'] })).toBe('gen_of_ann');
  });

  test.each<[string, Partial<Caller>]>([
    ['another user of its tenant', { user: 'bob' }],
    [
      'another tenant, whatever its scopes',
      { tenant: 'umbrella', scopes: ['generate', 'any-user', 'admin'] },
    ],
    ['a ticket for another generation', { onlyGeneration: 'gen_other' }],
  ])('is not found by %s', async (_who, caller) => {
    expect(await find(caller)).toBe('not_found');
  });

  test('that was not to be stored is found by nobody, and stored for nobody', async () => {
    expect(await find({}, { store: true })).toBe('gen_of_ann');
    expect(await find({}, { store: false })).toBe('not_found');
    for (const mode of cacheModes) {
      const { reads } = cacheUseOf(mode);
      expect(cacheUseOf(withoutStoring(mode))).toEqual({ reads, writes: false });
    }
  });
});
