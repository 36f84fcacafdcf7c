/**
 * Sessions of the page. A person opens the page through a link with a code, which `npm start` and `unbroken open`
 * print; the page exchanges the code, once, for the cookie of a session. So no key is in an address, and none is where
 * a script could read it. Codes and tokens are 256 random bits; Redis has only their SHA-256.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { SignInLink } from '../../contracts/keys.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { RedisClient } from '../../platform/redis/redis-client.ts';
import type { ApiKeys, Caller } from './api-keys.ts';

const TOKEN = /^us_[A-Za-z0-9_-]{43}$/;

export class PageSessions {
  readonly #redis: RedisClient;
  readonly #keys: ApiKeys;

  constructor(redis: RedisClient, keys: ApiKeys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** The code is in the fragment, which browsers send to no server: not in a request, and not as a Referer. */
  async issueLink(caller: Caller): Promise<SignInLink> {
    const code = newToken();
    const expiresAt = Date.now() + LIMITS.signInLinkMs;
    await this.#redis.set(REDIS_KEYS.signInLink(hashOf(code)), ownerOf(caller), { PXAT: expiresAt });
    return { path: `/#/sign-in/${code}`, expiresAt };
  }

  /** @returns the token of a new session and its caller; null when the code was used, has expired or is unknown. */
  async open(code: string): Promise<{ token: string; caller: Caller } | null> {
    if (!TOKEN.test(code)) return null;
    const owner = await this.#redis.getDel(REDIS_KEYS.signInLink(hashOf(code)));
    const caller = await this.#callerFor(owner);
    if (owner === null || caller === null) return null;
    const token = newToken();
    const expiration = { PX: LIMITS.pageSessionMs };
    await this.#redis.set(REDIS_KEYS.pageSession(hashOf(token)), owner, expiration);
    return { token, caller: { ...caller, inPage: true } };
  }

  /** Null when the session has ended, or the secret of its key has expired or was revoked. */
  async callerOf(token: string): Promise<Caller | null> {
    const owner = TOKEN.test(token) ? await this.#redis.get(REDIS_KEYS.pageSession(hashOf(token))) : null;
    const caller = await this.#callerFor(owner);
    return caller === null ? null : { ...caller, inPage: true };
  }

  #callerFor(owner: string | null): Promise<Caller | null> {
    const [keyId = '', secretHash] = owner?.split(' ') ?? [];
    return keyId === '' ? Promise.resolve(null) : this.#keys.callerOf(keyId, secretHash);
  }

  async end(token: string): Promise<void> {
    if (TOKEN.test(token)) await this.#redis.del(REDIS_KEYS.pageSession(hashOf(token)));
  }
}

/** The key of a session, and the secret by which it was opened. */
function ownerOf({ keyId, secretHash }: Caller): string {
  return secretHash === undefined ? keyId : `${keyId} ${secretHash}`;
}

function newToken(): string {
  return `us_${randomBytes(32).toString('base64url')}`;
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
