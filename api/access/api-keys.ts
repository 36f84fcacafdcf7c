/**
 * API keys: finds the caller of a key; creates, rotates and revokes keys. A key is 256 random bits, so its SHA-256 is
 * as hard to reverse as the key is to guess. A slow hash is for passwords, and would cost each first request tens of
 * milliseconds. docs/security.md has the prose.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { KeyView, NewKey, Scope } from '../../contracts/keys.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import type { RedisClient } from '../../platform/redis/redis-client.ts';
import { type KeyRecord, KeyRecords, viewOf } from './key-records.ts';

export interface Caller {
  readonly tenant: string;
  /** The user that is debited when a request names none. */
  readonly user: string;
  readonly team: string | null;
  /** Names the key in ledgers and logs without revealing it; a rotation does not change it. */
  readonly keyId: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the secret by which the caller came. What it opens, such as a session, ends with the secret. */
  readonly secretHash?: string;
  /** Present when the caller came with a ticket. A ticket is part of a URL, so it opens streams and starts nothing. */
  readonly onlyReads?: true;
  /** The only generation that a ticket opens; absent when the caller came with a key. */
  readonly onlyGeneration?: string;
  /** Present when the caller came with the cookie of the page. */
  readonly inPage?: true;
}

interface KeyOwner {
  readonly tenant: string;
  readonly user: string;
  readonly team?: string | null | undefined;
  readonly scopes?: readonly Scope[] | undefined;
  readonly name?: string | null | undefined;
  readonly expiresInMs?: number | undefined;
}

/** A change is published to all processes at once; this bounds the delay when the message is lost. */
const REMEMBER_MS = 10_000;
const REMEMBERED_KEYS = 10_000;
/** `lastUsedAt` is written at most this often. */
const TOUCH_MS = 60_000;
const KEY = /^ub_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

interface Remembered {
  readonly record: KeyRecord;
  readonly untilMs: number;
  touchedAt: number;
}

export class ApiKeys {
  readonly #redis: RedisClient;
  readonly #records: KeyRecords;
  readonly #onError: (error: unknown) => void;
  readonly #remembered = new BoundedMap<string, Remembered>(REMEMBERED_KEYS);
  readonly #listeners: ((keyId: string) => void)[] = [];
  /** Changes of any key that this process has received. */
  #changes = 0;

  private constructor(redis: RedisClient, onError: (error: unknown) => void) {
    this.#redis = redis;
    this.#records = new KeyRecords(redis);
    this.#onError = onError;
  }

  /** @param onError is called when the use of a key could not be recorded. */
  static async create(
    redis: RedisClient,
    subscriber: RedisClient,
    onError: (error: unknown) => void,
  ): Promise<ApiKeys> {
    const keys = new ApiKeys(redis, onError);
    await subscriber.subscribe(REDIS_KEYS.apiKeyChanges, (id) => keys.#changed(id));
    return keys;
  }

  /** The caller whose key this is; null when it is unknown, expired or revoked. */
  async find(key: string): Promise<Caller | null> {
    const hash = sha256(key);
    const id = idOf(key, hash);
    let record = this.#rememberedRecord(id);
    // The key may have been rotated since its record was read.
    if (record === null || !fits(record, hash)) record = await this.#fetch(id);
    if (record === null || !fits(record, hash)) return null;
    this.#touch(record);
    return callerFrom(record, hash);
  }

  /**
   * The caller by the id of a key, such as for a ticket that was issued to it.
   * @param secretHash of the secret that got the ticket: null is returned once it is invalid. Absent: any secret.
   */
  async callerOf(keyId: string, secretHash?: string): Promise<Caller | null> {
    const record = this.#rememberedRecord(keyId) ?? (await this.#fetch(keyId));
    if (record === null || (secretHash !== undefined && !fits(record, secretHash))) return null;
    return callerFrom(record, secretHash);
  }

  /** Stores a key that an operator chose, such as the development key. */
  async register(key: string, owner: KeyOwner): Promise<void> {
    const hash = sha256(key);
    const id = idOf(key, hash);
    const earlier = await this.#records.read(id);
    const record = newRecord(id, hash, owner);
    await this.#records.write(earlier === null ? record : { ...record, createdAt: earlier.createdAt });
  }

  /** @throws invalid_request for a tenant that has as many keys as it may. */
  async create(owner: KeyOwner): Promise<NewKey> {
    await this.#assertRoom(owner.tenant);
    const { id, key } = newKey();
    const record = newRecord(id, sha256(key), owner);
    await this.#records.write(record);
    return { ...viewOf(record), key };
  }

  /** A key without its secret; null when there is none. */
  async view(keyId: string): Promise<KeyView | null> {
    const record = await this.#records.read(keyId);
    return record === null ? null : viewOf(record);
  }

  list(tenant: string): Promise<KeyView[]> {
    return this.#records.list(tenant);
  }

  /** Gives the key a new secret; the old one stays valid for the overlap. Null when there is no such key. */
  async rotate(keyId: string, overlapMs: number): Promise<NewKey | null> {
    const record = await this.#records.read(keyId);
    if (record === null) return null;
    const { key } = newKey(keyId);
    const nowMs = Date.now();
    const expiresAt = record.lifeMs === null ? null : nowMs + record.lifeMs;
    const previousUntil = Math.min(nowMs + overlapMs, record.expiresAt ?? Number.POSITIVE_INFINITY);
    const rotation = { hash: sha256(key), expiresAt, previousUntil };
    if (!(await this.#records.rotate(keyId, rotation))) return null;
    await this.#publishChange(keyId);
    return { ...viewOf({ ...record, expiresAt, previousUntil }), key };
  }

  /** @returns false when there is no such key. */
  async revoke(keyId: string): Promise<boolean> {
    const record = await this.#records.read(keyId);
    if (record === null) return false;
    const isRemoved = await this.#records.remove(keyId, record.tenant);
    await this.#publishChange(keyId);
    return isRemoved;
  }

  /** The listener gets the id of each key that any process changes. */
  onChange(listener: (keyId: string) => void): void {
    this.#listeners.push(listener);
  }

  #changed(id: string): void {
    this.#changes += 1;
    this.#remembered.delete(id);
    for (const listener of this.#listeners) listener(id);
  }

  #publishChange(id: string): Promise<number> {
    return this.#redis.publish(REDIS_KEYS.apiKeyChanges, id);
  }

  #rememberedRecord(id: string): KeyRecord | null {
    const remembered = this.#remembered.get(id);
    if (remembered === undefined || isPast(remembered.untilMs)) return null;
    return isPast(remembered.record.expiresAt) ? null : remembered.record;
  }

  async #fetch(id: string): Promise<KeyRecord | null> {
    const changesBefore = this.#changes;
    const record = await this.#records.read(id);
    const touchedAt = this.#remembered.get(id)?.touchedAt ?? 0;
    this.#remembered.delete(id);
    if (record === null || isPast(record.expiresAt)) return null;
    // A record that was read while its key was revoked must not be remembered beyond the message that says so.
    if (this.#changes !== changesBefore) return record;
    this.#remembered.set(id, { record, untilMs: Date.now() + REMEMBER_MS, touchedAt });
    return record;
  }

  #touch({ id, tenant }: KeyRecord): void {
    const remembered = this.#remembered.get(id);
    const nowMs = Date.now();
    if (remembered === undefined || nowMs - remembered.touchedAt < TOUCH_MS) return;
    remembered.touchedAt = nowMs;
    // Not awaited: the request must not wait for it, and a use that is not recorded does no harm.
    this.#records.touch(id, tenant, nowMs).catch(this.#onError);
  }

  async #assertRoom(tenant: string): Promise<void> {
    const most = LIMITS.keysPerTenant;
    if ((await this.#records.count(tenant)) < most) return;
    // Listing drops the keys that have expired.
    if ((await this.#records.list(tenant)).length < most) return;
    throw new UnbrokenError('invalid_request', `A tenant has at most ${most} keys; revoke some first.`);
  }
}

/** The key contains its id, so that one look-up by id finds the hash to compare with. Ids are not secret. */
function newKey(keyId = `key_${randomBytes(8).toString('hex')}`): { id: string; key: string } {
  const secret = randomBytes(32).toString('base64url');
  return { id: keyId, key: `ub_${keyId.slice('key_'.length)}_${secret}` };
}

/** A key of another form, such as one that an operator chose, gets its id from its own hash. */
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
  if (areEqualHashes(record.hash, hash)) return true;
  if (record.previousHash === null || isPast(record.previousUntil)) return false;
  return areEqualHashes(record.previousHash, hash);
}

/** In constant time, so that the time of an answer tells nothing about the hash. */
function areEqualHashes(stored: string, presented: string): boolean {
  const [left, right] = [Buffer.from(stored), Buffer.from(presented)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function isPast(timeMs: number | null): boolean {
  return timeMs !== null && timeMs <= Date.now();
}

function callerFrom({ id, tenant, user, team, scopes }: KeyRecord, secretHash: string | undefined): Caller {
  const caller = { tenant, user, team, keyId: id, scopes };
  return secretHash === undefined ? caller : { ...caller, secretHash };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
