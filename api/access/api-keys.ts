/**
 * API keys: who calls with one, and how they are made, rotated and revoked. A key is 256 random bits, so one SHA-256 of
 * it is as hard to reverse as guessing it; slow hashes are for passwords, and would cost each first request tens of
 * milliseconds. docs/security.md has the prose.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { KeyView, NewKey, Scope } from '../../contracts/keys.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';
import { createKeyRecords, type KeyRecord, type KeyRecords, viewOf } from './key-records.ts';

export interface Caller {
  readonly tenant: string;
  /** The user who is debited where a request names none. */
  readonly user: string;
  readonly team: string | null;
  /** Names the key in ledgers and logs without telling it; stays the same when the key is rotated. */
  readonly keyId: string;
  readonly scopes: readonly Scope[];
  /** There where the caller came with a ticket, which stands in a URL: it opens streams and begins nothing. */
  readonly onlyReads?: true;
  /** The one generation that a ticket opens; absent where the caller came with a key. */
  readonly onlyGeneration?: string;
}

export interface KeyOwner {
  readonly tenant: string;
  readonly user: string;
  readonly team?: string | null | undefined;
  readonly scopes?: readonly Scope[] | undefined;
  readonly name?: string | null | undefined;
  readonly expiresInMs?: number | undefined;
}

export interface ApiKeys {
  /** Whose key this is; null where it is not known, expired or revoked. */
  find(key: string): Promise<Caller | null>;
  /** The caller of a key by the id of the key, such as for a ticket that was made with it. */
  callerOf(keyId: string): Promise<Caller | null>;
  /** Makes a key of the caller's own choice known, such as the development key. */
  register(key: string, owner: KeyOwner): Promise<void>;
  create(owner: KeyOwner): Promise<NewKey>;
  /** What is kept of a key; null where there is none. */
  view(keyId: string): Promise<KeyView | null>;
  list(tenant: string): Promise<KeyView[]>;
  /** A new secret for the same key; the old one stays good for the overlap. Null where there is no such key. */
  rotate(keyId: string, overlapMs: number): Promise<NewKey | null>;
  revoke(keyId: string): Promise<boolean>;
  /** Told the id of each key that is changed anywhere. */
  onChange(listener: (keyId: string) => void): void;
}

/** A change is told to every process at once; where that message is lost, this is the longest that it takes. */
const REMEMBER_MS = 10_000;
const REMEMBERED_KEYS = 10_000;
/** The last use is noted this often. */
const TOUCH_MS = 60_000;
const KEY = /^ub_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

interface Remembered {
  readonly record: KeyRecord;
  readonly untilMs: number;
  touchedAt: number;
}

export async function createApiKeys(
  redis: RedisConnection,
  subscriber: RedisConnection,
  onError: (error: unknown) => void,
): Promise<ApiKeys> {
  const records = createKeyRecords(redis);
  const remembered = new Map<string, Remembered>();
  const listeners: ((keyId: string) => void)[] = [];
  let changes = 0;
  await subscriber.subscribe(REDIS_KEYS.apiKeyChanges, (id) => {
    changes += 1;
    remembered.delete(id);
    for (const listener of listeners) listener(id);
  });
  const changed = (id: string) => redis.publish(REDIS_KEYS.apiKeyChanges, id);

  const fetchRecord = async (id: string): Promise<KeyRecord | null> => {
    const changesBefore = changes;
    const record = await records.read(id);
    const touchedAt = remembered.get(id)?.touchedAt ?? 0;
    remembered.delete(id);
    if (record === null || isPast(record.expiresAt)) return null;
    // What was read while a key was being revoked must not outlive the message that tells of it.
    if (changes !== changesBefore) return record;
    if (remembered.size >= REMEMBERED_KEYS) remembered.clear();
    remembered.set(id, { record, untilMs: Date.now() + REMEMBER_MS, touchedAt });
    return record;
  };
  const rememberedRecord = (id: string): KeyRecord | null => {
    const known = remembered.get(id);
    return known === undefined || isPast(known.untilMs) || isPast(known.record.expiresAt)
      ? null
      : known.record;
  };
  const touch = ({ id, tenant }: KeyRecord) => {
    const known = remembered.get(id);
    const nowMs = Date.now();
    if (known === undefined || nowMs - known.touchedAt < TOUCH_MS) return;
    known.touchedAt = nowMs;
    // Nobody waits for this, and a use that is not noted harms nobody.
    records.touch(id, tenant, nowMs).catch(onError);
  };

  return {
    async find(key) {
      const hash = sha256(key);
      const id = idOf(key, hash);
      let record = rememberedRecord(id);
      // One that does not fit may have been rotated since it was read.
      if (record === null || !fits(record, hash)) record = await fetchRecord(id);
      if (record === null || !fits(record, hash)) return null;
      touch(record);
      return callerFrom(record);
    },
    async callerOf(keyId) {
      const record = rememberedRecord(keyId) ?? (await fetchRecord(keyId));
      return record === null ? null : callerFrom(record);
    },
    async register(key, owner) {
      const hash = sha256(key);
      const id = idOf(key, hash);
      const known = await records.read(id);
      await records.write({ ...newRecord(id, hash, owner), ...(known && { createdAt: known.createdAt }) });
    },
    async create(owner) {
      await assertRoom(records, owner.tenant);
      const { id, key } = newKey();
      const record = newRecord(id, sha256(key), owner);
      await records.write(record);
      return { ...viewOf(record), key };
    },
    async view(keyId) {
      const record = await records.read(keyId);
      return record === null ? null : viewOf(record);
    },
    list: (tenant) => records.list(tenant),
    async rotate(keyId, overlapMs) {
      const record = await records.read(keyId);
      if (record === null) return null;
      const { key } = newKey(keyId);
      const nowMs = Date.now();
      const expiresAt = record.lifeMs === null ? null : nowMs + record.lifeMs;
      const previousUntil = Math.min(nowMs + overlapMs, record.expiresAt ?? Number.POSITIVE_INFINITY);
      if (!(await records.rotate(keyId, { hash: sha256(key), expiresAt, previousUntil }))) return null;
      await changed(keyId);
      return { ...viewOf({ ...record, expiresAt, previousUntil }), key };
    },
    async revoke(keyId) {
      const record = await records.read(keyId);
      if (record === null) return false;
      const removed = await records.remove(keyId, record.tenant);
      await changed(keyId);
      return removed;
    },
    onChange(listener) {
      listeners.push(listener);
    },
  };
}

/** @throws invalid_request for a tenant that has as many keys as it may. */
async function assertRoom(records: KeyRecords, tenant: string): Promise<void> {
  const most = LIMITS.keysPerTenant;
  if ((await records.count(tenant)) < most) return;
  // Those that have expired are dropped as they are listed.
  if ((await records.list(tenant)).length < most) return;
  throw new UnbrokenError('invalid_request', `A tenant has at most ${most} keys; revoke some first.`);
}

/** The id is part of the key, so that one look-up by id finds what to compare with; ids are no secret. */
function newKey(keyId = `key_${randomBytes(8).toString('hex')}`): { id: string; key: string } {
  const secret = randomBytes(32).toString('base64url');
  return { id: keyId, key: `ub_${keyId.slice('key_'.length)}_${secret}` };
}

/** A key of another form, such as one that an operator chose, is found by its own hash. */
function idOf(key: string, hash: string): string {
  return `key_${KEY.exec(key)?.[1] ?? hash.slice(0, 16)}`;
}

function newRecord(id: string, hash: string, owner: KeyOwner): KeyRecord {
  const nowMs = Date.now();
  const lifeMs = owner.expiresInMs ?? null;
  return {
    id,
    hash,
    tenant: owner.tenant,
    user: owner.user,
    team: owner.team ?? null,
    name: owner.name ?? null,
    scopes: owner.scopes ?? ['generate'],
    createdAt: nowMs,
    lifeMs,
    expiresAt: lifeMs === null ? null : nowMs + lifeMs,
    previousHash: null,
    previousUntil: null,
  };
}

function fits(record: KeyRecord, hash: string): boolean {
  if (isSame(record.hash, hash)) return true;
  return record.previousHash !== null && !isPast(record.previousUntil) && isSame(record.previousHash, hash);
}

function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function isPast(timeMs: number | null): boolean {
  return timeMs !== null && timeMs <= Date.now();
}

function callerFrom({ id, tenant, user, team, scopes }: KeyRecord): Caller {
  return { tenant, user, team, keyId: id, scopes };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
