/**
 * API keys in Redis: the owner of each and the SHA-256 of its secret, never the secret. There is one record per key,
 * so a rotation or revocation is atomic among concurrent ones. Redis expires the record with the key.
 */
import { type KeyView, type Scope, scopes } from '../../contracts/keys.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { askScript, script } from '../../platform/redis/lua-script.ts';
import type { RedisClient } from '../../platform/redis/redis-client.ts';

export interface KeyRecord {
  readonly id: string;
  readonly name: string | null;
  readonly tenant: string;
  readonly user: string;
  readonly team: string | null;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  /** Lifetime of each secret in ms; null: it never expires. */
  readonly lifeMs: number | null;
  readonly expiresAt: number | null;
  /** SHA-256 of the whole key, hex. */
  readonly hash: string;
  /** SHA-256 of the secret before the last rotation, and until when that secret is valid. */
  readonly previousHash: string | null;
  readonly previousUntil: number | null;
}

interface Rotation {
  readonly hash: string;
  readonly expiresAt: number | null;
  readonly previousUntil: number;
}

/** Stores a record; it expires with its key. KEYS: record. ARGV: JSON of {fields, expiresAt: absent if never}. */
const WRITE = script(`
local ask = cjson.decode(ARGV[1])
for name, value in pairs(ask.fields) do redis.call('HSET', KEYS[1], name, value) end
if ask.expiresAt then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ask.expiresAt))
else redis.call('PERSIST', KEYS[1]) end
return 1`);

/** KEYS: record. A key that is gone must not come back. */
const ROTATE = script(`
local rotation = cjson.decode(ARGV[1])
local present = redis.call('HGET', KEYS[1], 'hash')
if not present then return 0 end
local expiresAt = rotation.expiresAt ~= cjson.null and string.format('%.0f', rotation.expiresAt) or ''
redis.call('HSET', KEYS[1], 'hash', rotation.hash, 'expiresAt', expiresAt,
  'previousHash', present, 'previousUntil', string.format('%.0f', rotation.previousUntil))
if expiresAt ~= '' then redis.call('PEXPIREAT', KEYS[1], expiresAt) end
return 1`);

export class KeyRecords {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  async read(id: string): Promise<KeyRecord | null> {
    return recordFrom(id, await this.#redis.hGetAll(REDIS_KEYS.apiKey(id)));
  }

  async write(record: KeyRecord): Promise<void> {
    const index = REDIS_KEYS.apiKeysOf(record.tenant);
    const ask = { fields: fieldsOf(record), expiresAt: record.expiresAt ?? undefined };
    await Promise.all([
      askScript(this.#redis, WRITE, { keys: [REDIS_KEYS.apiKey(record.id)], ask }),
      this.#redis.zAdd(index, { score: 0, value: record.id }, { condition: 'NX' }),
    ]);
  }

  /** @returns false when the key is gone. */
  async rotate(id: string, rotation: Rotation): Promise<boolean> {
    const keys = [REDIS_KEYS.apiKey(id)];
    return (await askScript(this.#redis, ROTATE, { keys, ask: rotation })) === 1;
  }

  /** @returns false when the key was gone already. */
  async remove(id: string, tenant: string): Promise<boolean> {
    const [removed] = await Promise.all([
      this.#redis.del(REDIS_KEYS.apiKey(id)),
      this.#redis.zRem(REDIS_KEYS.apiKeysOf(tenant), id),
    ]);
    return removed === 1;
  }

  /** The keys of the tenant, oldest first; drops expired ones from its index. */
  async list(tenant: string): Promise<KeyView[]> {
    const index = await this.#redis.zRangeWithScores(REDIS_KEYS.apiKeysOf(tenant), 0, -1);
    const listed = await Promise.all(
      index.map(async ({ value, score }) => ({
        id: value,
        lastUsedAt: score,
        record: await this.read(value),
      })),
    );
    const expired = listed.filter(({ record }) => record === null).map(({ id }) => id);
    if (expired.length > 0) await this.#redis.zRem(REDIS_KEYS.apiKeysOf(tenant), expired);
    return listed
      .flatMap(({ record, lastUsedAt }) => (record === null ? [] : [viewOf(record, lastUsedAt)]))
      .sort((left, right) => left.createdAt - right.createdAt);
  }

  /** How many keys the tenant has; keys that expired since the last `list` may be among them. */
  count(tenant: string): Promise<number> {
    return this.#redis.zCard(REDIS_KEYS.apiKeysOf(tenant));
  }

  /** Records the use of a key, unless it was removed meanwhile. */
  async touch(id: string, tenant: string, atMs: number): Promise<void> {
    const use = { score: atMs, value: id };
    await this.#redis.zAdd(REDIS_KEYS.apiKeysOf(tenant), use, { condition: 'XX', comparison: 'GT' });
  }
}

/** @param lastUsedAt 0 when the key was never used. */
export function viewOf(record: KeyRecord, lastUsedAt = 0): KeyView {
  const { id, name, tenant, user, team, createdAt, expiresAt, previousUntil } = record;
  return {
    id,
    name,
    tenant,
    user,
    team,
    scopes: [...record.scopes],
    createdAt,
    expiresAt,
    previousUntil: previousUntil !== null && previousUntil > Date.now() ? previousUntil : null,
    lastUsedAt: lastUsedAt === 0 ? null : lastUsedAt,
  };
}

function fieldsOf(record: KeyRecord): Record<string, string> {
  return {
    name: record.name ?? '',
    tenant: record.tenant,
    user: record.user,
    team: record.team ?? '',
    scopes: record.scopes.join(' '),
    createdAt: String(record.createdAt),
    lifeMs: String(record.lifeMs ?? ''),
    expiresAt: String(record.expiresAt ?? ''),
    hash: record.hash,
  };
}

function recordFrom(id: string, stored: Record<string, string>): KeyRecord | null {
  const { tenant, user, hash } = stored;
  if (tenant === undefined || user === undefined || hash === undefined) return null;
  const granted = (stored['scopes'] ?? '').split(' ');
  return {
    id,
    tenant,
    user,
    hash,
    name: stored['name'] || null,
    team: stored['team'] || null,
    scopes: scopes.filter((scope) => granted.includes(scope)),
    createdAt: Number(stored['createdAt']),
    lifeMs: numberOrNull(stored['lifeMs']),
    expiresAt: numberOrNull(stored['expiresAt']),
    previousHash: stored['previousHash'] || null,
    previousUntil: numberOrNull(stored['previousUntil']),
  };
}

function numberOrNull(text: string | undefined): number | null {
  return text ? Number(text) : null;
}
