/**
 * What Redis holds of an API key: its owner, and the SHA-256 of its secret, never the secret. One record per key, so
 * that a rotation or a revocation is one step whoever else does one at the same time. An expired record removes itself.
 */
import type { KeyView, Scope } from '../../contracts/keys.ts';
import { scopes } from '../../contracts/keys.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';

export interface KeyRecord {
  readonly id: string;
  readonly name: string | null;
  readonly tenant: string;
  readonly user: string;
  readonly team: string | null;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  /** How long a secret lives, ms; null: without end. */
  readonly lifeMs: number | null;
  readonly expiresAt: number | null;
  /** SHA-256 of the whole key, hex. */
  readonly hash: string;
  /** The secret before the last rotation, and until when it is good. */
  readonly previousHash: string | null;
  readonly previousUntil: number | null;
}

export interface Rotation {
  readonly hash: string;
  readonly expiresAt: number | null;
  readonly previousUntil: number;
}

export interface KeyRecords {
  read(id: string): Promise<KeyRecord | null>;
  write(record: KeyRecord): Promise<void>;
  /** False where the key is gone. */
  rotate(id: string, rotation: Rotation): Promise<boolean>;
  /** False where the key was gone already. */
  remove(id: string, tenant: string): Promise<boolean>;
  list(tenant: string): Promise<KeyView[]>;
  /** How many keys the tenant has; those that expired since the last list may be among them. */
  count(tenant: string): Promise<number>;
  /** Notes the use of a key, unless it was removed meanwhile. */
  touch(id: string, tenant: string, atMs: number): Promise<void>;
}

/** KEYS: record. ARGV: new hash, its end or '', end of the present one. A key that is gone must not come back. */
const ROTATE = `
local present = redis.call('HGET', KEYS[1], 'hash')
if not present then return 0 end
redis.call('HSET', KEYS[1], 'hash', ARGV[1], 'expiresAt', ARGV[2], 'previousHash', present, 'previousUntil', ARGV[3])
if ARGV[2] ~= '' then redis.call('PEXPIREAT', KEYS[1], ARGV[2]) end
return 1`;

export function createKeyRecords(redis: RedisConnection): KeyRecords {
  const read = async (id: string) => recordOf(id, await redis.hGetAll(REDIS_KEYS.apiKey(id)));
  return {
    read,
    async write(record) {
      const key = REDIS_KEYS.apiKey(record.id);
      await Promise.all([
        redis.hSet(key, fieldsOf(record)),
        record.expiresAt === null ? redis.persist(key) : redis.pExpireAt(key, record.expiresAt),
        redis.zAdd(REDIS_KEYS.apiKeysOf(record.tenant), { score: 0, value: record.id }, { condition: 'NX' }),
      ]);
    },
    async rotate(id, { hash, expiresAt, previousUntil }) {
      const rotated = await redis.eval(ROTATE, {
        keys: [REDIS_KEYS.apiKey(id)],
        arguments: [hash, String(expiresAt ?? ''), String(previousUntil)],
      });
      return rotated === 1;
    },
    async remove(id, tenant) {
      const [removed] = await Promise.all([
        redis.del(REDIS_KEYS.apiKey(id)),
        redis.zRem(REDIS_KEYS.apiKeysOf(tenant), id),
      ]);
      return removed === 1;
    },
    async list(tenant) {
      const index = await redis.zRangeWithScores(REDIS_KEYS.apiKeysOf(tenant), 0, -1);
      const listed = await Promise.all(
        index.map(async ({ value, score }) => ({ id: value, usedAt: score, record: await read(value) })),
      );
      const expired = listed.filter(({ record }) => record === null).map(({ id }) => id);
      if (expired.length > 0) await redis.zRem(REDIS_KEYS.apiKeysOf(tenant), expired);
      return listed
        .flatMap(({ record, usedAt }) => (record === null ? [] : [viewOf(record, usedAt)]))
        .sort((one, other) => one.createdAt - other.createdAt);
    },
    count: (tenant) => redis.zCard(REDIS_KEYS.apiKeysOf(tenant)),
    async touch(id, tenant, atMs) {
      await redis.zAdd(
        REDIS_KEYS.apiKeysOf(tenant),
        { score: atMs, value: id },
        { condition: 'XX', comparison: 'GT' },
      );
    },
  };
}

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

function recordOf(id: string, stored: Record<string, string>): KeyRecord | null {
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
