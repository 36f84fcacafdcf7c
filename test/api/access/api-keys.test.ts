import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LIMITS } from '../../../contracts/limits.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type KeysOnRedis, startKeys } from './keys-on-redis.ts';

let keys: KeysOnRedis;
beforeAll(async () => {
  keys = await startKeys();
});
afterAll(() => keys?.stop());

const owner = { tenant: 'acme', user: 'ann', team: 'red', scopes: ['generate', 'admin'] } as const;

describe('a key', () => {
  test('is valid at every process, with its owner and scopes, and its id does not reveal it', async () => {
    const { key, id } = await keys.here.create(owner);
    const secretHash = createHash('sha256').update(key).digest('hex');
    expect(await keys.there.find(key)).toEqual({ ...owner, keyId: id, secretHash });
    expect(key).toMatch(/^ub_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    expect(await keys.there.find(`${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`)).toBeNull();
  });

  test('appears neither in Redis nor in a list', async () => {
    const { key, id } = await keys.here.create(owner);
    await keys.here.find(key);
    const secret = key.slice(-43);
    const stored: unknown[] = [await keys.here.list('acme')];
    for (const name of await keys.redis.keys('*')) stored.push(name, await keys.redis.dump(name));
    expect(JSON.stringify(stored)).not.toContain(secret);
    expect(JSON.stringify(stored)).toContain(id);
  });

  test('is refused from the moment it expires, even if it was used just before', async () => {
    const { key } = await keys.here.create({ ...owner, expiresInMs: 300 });
    expect(await keys.here.find(key)).not.toBeNull();
    await waitFor('the end of the key', async () => (await keys.here.find(key)) === null);
    expect(await keys.there.find(key)).toBeNull();
  });

  test('is listed for its own tenant only, with its last use to the minute', async () => {
    const { key, id } = await keys.here.create({ ...owner, tenant: 'listed', name: 'billing' });
    expect(await keys.here.list('listed')).toMatchObject([{ id, name: 'billing', lastUsedAt: null }]);
    const usedAt = Date.now();
    await keys.there.find(key);
    const [used] = await waitFor('the note of its use', async () => {
      const listed = await keys.here.list('listed');
      return listed[0]?.lastUsedAt !== null && listed;
    });
    expect(used?.lastUsedAt).toBeGreaterThanOrEqual(usedAt);
    expect(await keys.here.list('acm')).toEqual([]);
  });
});

describe('a tenant', () => {
  test('at its limit of keys gets another only after one is revoked or expires; other tenants are not affected', async () => {
    const crowd = { ...owner, tenant: 'crowd' };
    const [first] = [await keys.here.create(crowd)];
    const ids = Array.from({ length: LIMITS.keysPerTenant - 1 }, (_, index) => `key_${index}`);
    const index = REDIS_KEYS.apiKeysOf('crowd');
    await keys.redis.zAdd(
      index,
      ids.map((value) => ({ score: 0, value })),
    );
    await Promise.all(
      ids.map((id) => keys.redis.hSet(REDIS_KEYS.apiKey(id), { tenant: 'crowd', user: 'ann', hash: 'x' })),
    );
    await expect(keys.here.create(crowd)).rejects.toMatchObject({ code: 'invalid_request' });
    expect((await keys.here.create({ ...owner, tenant: 'modest' })).key).toBeDefined();
    await keys.here.revoke(first.id);
    expect((await keys.here.create(crowd)).key).toBeDefined();
    await expect(keys.here.create(crowd)).rejects.toMatchObject({ code: 'invalid_request' });
    // Redis drops the record of an expired key, and the next list drops its index entry.
    await keys.redis.del(REDIS_KEYS.apiKey('key_0'));
    expect((await keys.here.create(crowd)).key).toBeDefined();
  });
});

describe('a revoked key', () => {
  test('is refused at a process that has just used it, as soon as the notice arrives', async () => {
    const { key, id } = await keys.here.create(owner);
    expect(await keys.there.find(key)).not.toBeNull();
    const changed: string[] = [];
    keys.there.onChange((changedId) => changed.push(changedId));
    expect(await keys.here.revoke(id)).toBe(true);
    await waitFor('the notice', () => changed.includes(id));
    expect(await keys.there.find(key)).toBeNull();
    expect(await keys.here.revoke(id)).toBe(false);
    expect(await keys.redis.exists(REDIS_KEYS.apiKey(id))).toBe(0);
  });

  test('is not restored by a concurrent use or rotation', async () => {
    const { key, id } = await keys.here.create({ ...owner, tenant: 'gone' });
    await keys.here.find(key);
    const outcomes = await Promise.all([keys.here.revoke(id), keys.there.rotate(id, 60_000)]);
    const rotated = outcomes[1];
    for (const secret of [key, rotated?.key ?? key]) {
      await waitFor('the refusal', async () => (await keys.there.find(secret)) === null);
    }
    expect(await keys.here.list('gone')).toEqual([]);
  });
});

describe('a rotated key', () => {
  test('keeps its id, and both secrets are valid until the overlap ends', async () => {
    const { key: old, id } = await keys.here.create(owner);
    await keys.there.find(old);
    const rotated = await keys.here.rotate(id, 1_500);
    const fresh = rotated?.key ?? '';
    expect(rotated).toMatchObject({ id, previousUntil: expect.any(Number) });
    expect(await keys.there.find(fresh)).toMatchObject({ keyId: id, user: 'ann' });
    expect(await keys.there.find(old)).toMatchObject({ keyId: id });
    await waitFor('the end of the overlap', async () => (await keys.there.find(old)) === null);
    expect(await keys.there.find(fresh)).toMatchObject({ keyId: id });
  });

  test('gets a full lifetime again, and its old secret expires no later than before', async () => {
    const { key: old, id, expiresAt } = await keys.here.create({ ...owner, expiresInMs: 500 });
    await waitFor('a later millisecond', () => Date.now() + 500 > (expiresAt ?? 0));
    const rotated = await keys.here.rotate(id, 60_000);
    expect(rotated?.previousUntil).toBe(expiresAt);
    expect(rotated?.expiresAt).toBeGreaterThan(expiresAt ?? Number.POSITIVE_INFINITY);
    await waitFor('the end of the old secret', async () => (await keys.there.find(old)) === null);
  });
});

describe('a key that an operator chose', () => {
  test('is valid after a second registration, and keeps its time of creation', async () => {
    const chosen = 'a-key-that-someone-chose';
    await keys.here.register(chosen, owner);
    const first = await keys.there.find(chosen);
    const before = await keys.here.view(first?.keyId ?? '');
    await keys.there.register(chosen, { ...owner, scopes: ['generate'] });
    const after = await keys.here.view(first?.keyId ?? '');
    expect(after).toEqual({ ...before, scopes: ['generate'] });
  });
});
