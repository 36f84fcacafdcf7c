/** An EdgeCache in the memory of one isolate, for platforms that offer functions no cache of their choice. */
import type { EdgeCache } from './edge-cache.ts';

interface CachedBody {
  readonly body: string;
  readonly expiresAtMs: number;
}

/** Edge functions have 128 MB in all. */
const DEFAULT_MAX_CHARS = 16 * 1024 * 1024;

export class MemoryCache implements EdgeCache {
  readonly #maxChars: number;
  readonly #entries = new Map<string, CachedBody>();
  #chars = 0;

  /** @param maxChars the oldest entries are dropped when the bodies exceed this. */
  constructor(maxChars = DEFAULT_MAX_CHARS) {
    this.#maxChars = maxChars;
  }

  async match(key: string): Promise<Response | undefined> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAtMs > Date.now()) return new Response(entry.body);
    this.#drop(key);
    return undefined;
  }

  /** Keeps the body for the `max-age` of the response. */
  async put(key: string, response: Response): Promise<void> {
    const [, seconds = '0'] = /max-age=(\d+)/.exec(response.headers.get('cache-control') ?? '') ?? [];
    const body = await response.text();
    this.#drop(key);
    this.#entries.set(key, { body, expiresAtMs: Date.now() + Number(seconds) * 1_000 });
    this.#chars += body.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#chars <= this.#maxChars) return;
      this.#drop(oldest);
    }
  }

  async delete(key: string): Promise<boolean> {
    return this.#drop(key);
  }

  #drop(key: string): boolean {
    this.#chars -= this.#entries.get(key)?.body.length ?? 0;
    return this.#entries.delete(key);
  }
}
