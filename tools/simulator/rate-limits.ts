/** Limits on requests per key, as vendors have them: 429 beyond the limit, `x-ratelimit-*` headers on every answer. */
import { z } from 'zod';

export const rateLimitSchema = z.strictObject({
  /** The API key; absent: each key has this limit. */
  key: z.string().optional(),
  requests: z.int().positive(),
  perMs: z.int().positive().default(60_000),
});
type RateLimit = z.infer<typeof rateLimitSchema>;

export class RateLimits {
  #limits: RateLimit[] = [];
  /** When the recent requests of each key came. */
  readonly #timesOf = new Map<string, number[]>();

  add(limit: RateLimit): void {
    this.#limits.push(limit);
  }

  clear(): void {
    this.#limits = [];
    this.#timesOf.clear();
  }

  /** Counts a request of this key. @returns the headers to send, and whether to refuse it. */
  take(apiKey: string): { readonly headers: Record<string, string>; readonly isRefused: boolean } {
    const limit = this.#limits.find(({ key }) => (key ?? apiKey) === apiKey);
    if (limit === undefined) return { headers: {}, isRefused: false };
    const now = Date.now();
    const recent = (this.#timesOf.get(apiKey) ?? []).filter((time) => time > now - limit.perMs);
    const isRefused = recent.length >= limit.requests;
    if (!isRefused) recent.push(now);
    this.#timesOf.set(apiKey, recent);
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
  }
}
