/** API keys. Redis holds only their SHA-256; a key that was seen is remembered for a short time. */
import { createHash } from 'node:crypto';
import { REDIS_KEYS } from '../contracts/names.ts';
import type { RedisConnection } from '../streaming/redis-connection.ts';

/** `generate`: submit, read and cancel generations. `admin`: budgets, keys, prompts and other tenants' users. */
export const scopes = ['generate', 'admin'] as const;
export type Scope = (typeof scopes)[number];

export interface Caller {
  readonly tenant: string;
  /** The user who is debited where a request names none. */
  readonly user: string;
  readonly team: string | null;
  /** Names the key in ledgers and logs without telling it. */
  readonly keyId: string;
  readonly scopes: readonly Scope[];
}

/** What is kept of a key beside its hash. */
export interface KeyOwner {
  readonly tenant: string;
  readonly user: string;
  readonly team?: string | null;
  readonly scopes?: readonly Scope[];
}

export interface ApiKeys {
  find(key: string): Promise<Caller | null>;
  register(key: string, owner: KeyOwner): Promise<void>;
}

/** A revoked key is refused everywhere after this. */
const REMEMBER_MS = 10_000;
const REMEMBERED_KEYS = 10_000;

export function createApiKeys(redis: RedisConnection): ApiKeys {
  const seen = new Map<string, { caller: Caller; untilMs: number }>();
  return {
    async find(key) {
      const hash = sha256(key);
      const known = seen.get(hash);
      if (known !== undefined && known.untilMs > Date.now()) return known.caller;
      const { tenant, user, team, scopes: stored } = await redis.hGetAll(REDIS_KEYS.apiKey(hash));
      if (tenant === undefined || user === undefined) {
        seen.delete(hash);
        return null;
      }
      if (seen.size >= REMEMBERED_KEYS) seen.clear();
      const caller: Caller = {
        ...{ tenant, user, team: team || null, keyId: keyIdOf(hash) },
        scopes: scopes.filter((scope) => (stored ?? 'generate').split(' ').includes(scope)),
      };
      seen.set(hash, { caller, untilMs: Date.now() + REMEMBER_MS });
      return caller;
    },
    async register(key, { tenant, user, team, scopes: granted = ['generate'] }) {
      const fields = { tenant, user, team: team ?? '', scopes: granted.join(' ') };
      await redis.hSet(REDIS_KEYS.apiKey(sha256(key)), fields);
    },
  };
}

function keyIdOf(hash: string): string {
  return `key_${hash.slice(0, 12)}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
