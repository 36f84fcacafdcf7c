/**
 * Requests a minute of each key. Nobody waits for Redis: a count in this process decides at once, and the count that
 * all processes share is asked in the background; when that one is used up, the key is blocked here as well. So no
 * process alone lets more through than the limit, and all together no more than what comes within one round trip.
 */
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { UnbrokenError } from '../../contracts/errors.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';

const WINDOW_SECONDS = 60;

export interface RateLimiter {
  /** @throws rate_limited, with the time until the next window. */
  admit(keyId: string): Promise<void>;
}

export function createRateLimiter(
  redis: RedisConnection,
  { requestsPerMinute }: { readonly requestsPerMinute: number | null },
): RateLimiter {
  if (requestsPerMinute === null) return { admit: () => Promise.resolve() };
  const limit = { points: requestsPerMinute, duration: WINDOW_SECONDS };
  const here = new RateLimiterMemory(limit);
  const everywhere = new RateLimiterRedis({
    ...limit,
    storeClient: redis,
    useRedisPackage: true,
    keyPrefix: REDIS_KEYS.rateLimit,
    // While Redis is away, the count of this process is all there is.
    rejectIfRedisNotReady: true,
  });
  return {
    async admit(keyId) {
      await here.consume(keyId).catch((refusal: unknown) => {
        if (refusal instanceof RateLimiterRes) throw rateLimited(requestsPerMinute, refusal.msBeforeNext);
        throw refusal;
      });
      everywhere.consume(keyId).catch(async (refusal: unknown) => {
        if (refusal instanceof RateLimiterRes) await here.block(keyId, refusal.msBeforeNext / 1_000);
      });
    },
  };
}

function rateLimited(requestsPerMinute: number, retryAfterMs: number): UnbrokenError {
  return new UnbrokenError('rate_limited', `This key may make ${requestsPerMinute} requests a minute.`, {
    retryAfterMs,
  });
}
