/** An EdgeCache in the memory of one isolate, for platforms that give functions no cache that holds what we choose. */
import type { EdgeCache } from './edge-cache.ts';

interface Kept {
  readonly body: string;
  readonly untilMs: number;
}

/** `maxChars`: the oldest are dropped beyond it. Edge functions have 128 MB in all. */
export function createMemoryCache(maxChars = 16 * 1024 * 1024): EdgeCache {
  const entries = new Map<string, Kept>();
  let chars = 0;
  const drop = (key: string): boolean => {
    chars -= entries.get(key)?.body.length ?? 0;
    return entries.delete(key);
  };
  return {
    match: async (key) => {
      const kept = entries.get(key);
      if (kept === undefined) return undefined;
      if (kept.untilMs > Date.now()) return new Response(kept.body);
      drop(key);
      return undefined;
    },
    put: async (key, response) => {
      const [, seconds = '0'] = /max-age=(\d+)/.exec(response.headers.get('cache-control') ?? '') ?? [];
      const body = await response.text();
      drop(key);
      entries.set(key, { body, untilMs: Date.now() + Number(seconds) * 1_000 });
      chars += body.length;
      for (const oldest of entries.keys()) {
        if (chars <= maxChars) return;
        drop(oldest);
      }
    },
    delete: async (key) => drop(key),
  };
}
