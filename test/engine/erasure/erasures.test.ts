/** What an erasure notes, and its walk through the keys, on a real Redis. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ErasureScope, Found, StagePosition } from '../../../engine/erasure/erasures.ts';
import type { KeyEraser } from '../../../engine/erasure/key-erasers.ts';
import { RedisErasures, subjectOf } from '../../../engine/erasure/redis-erasures.ts';
import { sweepKeys } from '../../../engine/erasure/redis-sweep.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const KEPT_MS = 60_000;
let server: TestRedis;
let redis: RedisConnection;
let erasures: RedisErasures;
beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
  erasures = new RedisErasures(redis, { keptMs: KEPT_MS });
});
afterAll(() => server?.stop());

async function begun(tenant: string, user = 'ann', jobId: string | null = null): Promise<ErasureScope> {
  const id = await erasures.open({ tenant, user, jobId });
  const scope = await erasures.scope(tenant, id);
  if (scope === null) throw new Error('it was lost');
  return scope;
}

describe('an erasure', () => {
  test('is joined by a second one of the same data, and by no other', async () => {
    const first = await begun('acme');
    expect((await begun('acme')).erasureId).toBe(first.erasureId);
    const others = [
      await begun('acme', 'bob'),
      await begun('acme', 'ann', 'job_1'),
      await begun('other'),
      await begun('acme:ann', ''),
    ];
    const ids = [first, ...others].map(({ erasureId }) => erasureId);
    expect(new Set(ids).size).toBe(5);
    await erasures.complete(first, []);
    expect((await begun('acme')).erasureId).not.toBe(first.erasureId);
  });

  test('counts what it has found once, however often it finds it, and forgets whose it was', async () => {
    const scope = await begun('counts', 'grace-the-user');
    const found = erasures.found(scope);
    expect(await found.add('generations', ['gen_1', 'gen_2'])).toBe(2);
    expect(await found.add('generations', ['gen_2', 'gen_3', 'gen_4'])).toBe(2);
    await found.remove('generations', ['gen_4']);
    await found.add('feedback', []);
    expect([await found.has('generations', 'gen_3'), await found.has('jobs', 'gen_3')]).toEqual([
      true,
      false,
    ]);
    await erasures.noteWaiting(scope, 3);
    expect(await erasures.view('counts', scope.erasureId)).toMatchObject({
      status: 'running',
      waitingFor: 3,
    });
    const remains = [{ kind: 'ledger', count: null, reason: 'Money.', until: null }] as const;
    await erasures.complete(scope, remains);
    await erasures.complete(scope, []);
    expect(await erasures.view('counts', scope.erasureId)).toMatchObject({
      status: 'completed',
      scope: 'user',
      subject: subjectOf(scope),
      removed: [{ kind: 'generations', count: 3 }],
      remains,
      waitingFor: 0,
    });
    expect(await erasures.scope('counts', scope.erasureId)).toBeNull();
    const keys = await redis.keys('ub:*counts*');
    expect(keys.filter((key) => key.includes('seen'))).toEqual([]);
    const texts = await Promise.all(
      keys.map(async (key) => JSON.stringify(key.endsWith('newest') ? [] : await redis.hGetAll(key))),
    );
    expect(texts.join()).not.toContain('grace');
    expect(await redis.pTTL(keys.find((key) => key.endsWith('head')) ?? '')).toBeGreaterThan(0);
  });

  test('is listed with those of its tenant, the newest first', async () => {
    const users = ['a', 'b', 'c'];
    const ids: string[] = [];
    for (const user of users) ids.push((await begun('listed', user)).erasureId);
    const all = await erasures.list('listed', { limit: 10, before: null });
    expect(all.map(({ id }) => id).sort()).toEqual(ids.sort());
    expect(await erasures.list('nobody', { limit: 10, before: null })).toEqual([]);
  });
});

describe('the walk through the keys', () => {
  const found: Found = {
    add: async () => 0,
    remove: async () => undefined,
    has: async () => false,
    all: async () => [],
  };
  const scope: ErasureScope = { tenant: 't', user: 'u', jobId: null, erasureId: 'e', beforeMs: 0 };
  const eraserOf = (seen: string[]): KeyEraser => ({
    pattern: /^ub:walk:(\d+)$/,
    erase: async ([name = '']) => {
      seen.push(name);
      return { found: 1, pending: name === '7' ? 1 : 0 };
    },
  });
  const walk = (seen: string[], from: StagePosition | null, report: (at: StagePosition) => void) =>
    sweepKeys(
      { redis, erasers: [eraserOf(seen)], scope, found },
      { from, report, signal: AbortSignal.timeout(60_000) },
    );
  const COUNT = 5_000;

  beforeAll(async () => {
    for (let at = 0; at < COUNT; at += 1) await redis.set(`ub:walk:${at}`, '1');
    await redis.set('another:walk:1', '1');
  });

  test('finds every key, and continues where an attempt before it was', async () => {
    const [whole, before, after]: [string[], string[], string[]] = [[], [], []];
    expect(await walk(whole, null, () => undefined)).toEqual({ found: COUNT, pending: 1 });
    expect(new Set(whole).size).toBe(COUNT);
    const reached: StagePosition[] = [];
    const interrupted = walk(before, null, (position) => {
      reached.push(position);
      if (reached.length === 3) throw new Error('the worker dies');
    });
    await expect(interrupted).rejects.toThrow('dies');
    const last = reached.at(-1) ?? null;
    expect(last?.found).toBe(before.length);
    expect(await walk(after, last, () => undefined)).toEqual({ found: COUNT, pending: 1 });
    expect(before.length).toBeGreaterThan(0);
    expect(after.length).toBeLessThan(COUNT);
    expect(new Set([...before, ...after]).size).toBe(COUNT);
  });

  test('starts over where Redis has restarted, to which its cursor means nothing', async () => {
    const [before, after]: [string[], string[]] = [[], []];
    const reached: StagePosition[] = [];
    await walk(before, null, (position) => void reached.push(position));
    await server.crash(() => undefined);
    await walk(after, reached[0] ?? null, () => undefined);
    expect(new Set(after).size).toBe(COUNT);
  });
});
