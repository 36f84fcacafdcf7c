/** Limits on requests per key, as vendors have them: refused with 429, and told in the head of every answer. */
import { z } from 'zod';

export const rateLimitSchema = z.strictObject({
  /** The API key; absent: every key, each for itself. */
  key: z.string().optional(),
  requests: z.int().positive(),
  perMs: z.int().positive().default(60_000),
});
type RateLimit = z.infer<typeof rateLimitSchema>;

export interface RateLimits {
  add(limit: RateLimit): void;
  clear(): void;
  /** Takes one request of this key. @returns the headers to send, and whether it is refused. */
  take(apiKey: string): { readonly headers: Record<string, string>; readonly isRefused: boolean };
}

export function createRateLimits(): RateLimits {
  let limits: RateLimit[] = [];
  const taken = new Map<string, number[]>();
  return {
    add: (limit) => limits.push(limit),
    clear: () => {
      limits = [];
      taken.clear();
    },
    take(apiKey) {
      const limit = limits.find(({ key }) => (key ?? apiKey) === apiKey);
      if (limit === undefined) return { headers: {}, isRefused: false };
      const now = Date.now();
      const recent = (taken.get(apiKey) ?? []).filter((at) => at > now - limit.perMs);
      const isRefused = recent.length >= limit.requests;
      if (!isRefused) recent.push(now);
      taken.set(apiKey, recent);
      const resetMs = Math.max(1, (recent[0] ?? now) + limit.perMs - now);
      return {
        isRefused,
        headers: {
          'x-ratelimit-limit-requests': String(limit.requests),
          'x-ratelimit-remaining-requests': String(limit.requests - recent.length),
          'x-ratelimit-reset-requests': `${resetMs}ms`,
          ...(isRefused ? { 'retry-after': String(resetMs / 1_000) } : {}),
        },
      };
    },
  };
}
