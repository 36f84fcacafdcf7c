/**
 * Limits the requests a minute of each key, and the sign-ins of each address. No request waits for Redis: a counter in
 * this process decides at once, and the counter that all processes share is updated in the background. When the shared
 * one is exhausted, this process blocks the key too. So one process never admits more than the limit, and all together
 * exceed it by at most one round trip.
 */
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { UnbrokenError } from '../../contracts/errors.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import type { RedisClient } from '../../platform/redis/redis-client.ts';

const WINDOW_SECONDS = 60;

export interface RateLimiter {
  /** @param requests how many it counts as. @throws rate_limited, with the time until the next window */
  admit(subject: string, requests?: number): Promise<void>;
}

interface RateLimit {
  /** null: no limit. */
  readonly requestsPerMinute: number | null;
  /** What is limited, as the refusal names it. */
  readonly per?: 'key' | 'address';
}

export function createRateLimiter(
  redis: RedisClient,
  { requestsPerMinute, per = 'key' }: RateLimit,
): RateLimiter {
  if (requestsPerMinute === null) return { admit: () => Promise.resolve() };
  const limit = { points: requestsPerMinute, duration: WINDOW_SECONDS };
  const inProcess = new RateLimiterMemory(limit);
  const shared = new RateLimiterRedis({
    ...limit,
    storeClient: redis,
    useRedisPackage: true,
    keyPrefix: REDIS_KEYS.rateLimit,
    // While Redis is unreachable, only the counter of this process applies.
    rejectIfRedisNotReady: true,
  });
  return {
    async admit(subject, requests = 1) {
      await inProcess.consume(subject, requests).catch((refusal: unknown) => {
        if (refusal instanceof RateLimiterRes) {
          const message = `This ${per} may make ${requestsPerMinute} requests a minute.`;
          throw new UnbrokenError('rate_limited', message, { retryAfterMs: refusal.msBeforeNext });
        }
        throw refusal;
      });
      shared.consume(subject, requests).catch(async (refusal: unknown) => {
        if (refusal instanceof RateLimiterRes) await inProcess.block(subject, refusal.msBeforeNext / 1_000);
      });
    },
  };
}
