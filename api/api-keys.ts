/** API keys. Redis holds only their SHA-256; a key that was seen is remembered for a short time. */
import { createHash } from 'node:crypto';
import { REDIS_KEYS } from '../contracts/names.ts';
import type { RedisConnection } from '../streaming/redis-connection.ts';

export interface Caller {
  readonly tenant: string;
  /** The user who is debited where a request names none. */
  readonly user: string;
}

export interface ApiKeys {
  find(key: string): Promise<Caller | null>;
  register(key: string, caller: Caller): Promise<void>;
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
      const { tenant, user } = await redis.hGetAll(REDIS_KEYS.apiKey(hash));
      if (tenant === undefined || user === undefined) {
        seen.delete(hash);
        return null;
      }
      if (seen.size >= REMEMBERED_KEYS) seen.clear();
      seen.set(hash, { caller: { tenant, user }, untilMs: Date.now() + REMEMBER_MS });
      return { tenant, user };
    },
    async register(key, { tenant, user }) {
      await redis.hSet(REDIS_KEYS.apiKey(sha256(key)), { tenant, user });
    },
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
