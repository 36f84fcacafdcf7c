/**
 * One connection to the origin for all viewers of a generation. It reconnects with its cursor when the origin restarts,
 * and viewers notice nothing: every event has passed the client's check for gaps before it is shown.
 */

import { LIMITS } from '../../contracts/limits.ts';
import { EVENTS_PER_PAGE, type LogStanding, pageOf } from '../../contracts/log-pages.ts';
import { followGeneration, type GenerationEvent } from '../typescript/index.ts';
import { ask, type Credentials, generationUrl, isRefusal, type Origin, REFUSALS } from './origin.ts';

export interface Viewing {
  /** Events held after the cursor; null if the window starts later or splits a merged event: read a page instead. */
  after(cursor: number): readonly GenerationEvent[] | null;
  /** Resolves when something has changed, or after `waitMs`. */
  changed(waitMs: number): Promise<void>;
  /** Whether this viewer gets no more events: its credentials were refused, or the stream is broken. */
  isOver(): boolean;
  leave(): void;
}

/** The longest time for which a revoked key still sees events, when another key holds the connection to the origin. */
const RECHECK_MS = 15_000;

export class SharedStream {
  readonly #origin: Origin;
  readonly #standing: LogStanding;
  readonly #onIdle: () => void;
  readonly #window: EventWindow;
  readonly #viewers = new Map<symbol, Credentials>();
  readonly #refusedHashes = new Set<string>();
  readonly #waiting = new Set<() => void>();
  readonly #closed = new AbortController();
  #isBroken = false;

  /** @param onIdle called when the last viewer has left, or no more events will come. */
  constructor(origin: Origin, standing: LogStanding, onIdle: () => void) {
    this.#origin = origin;
    this.#standing = standing;
    this.#onIdle = onIdle;
    // Starts at a page border: earlier events can be read, and cached, as whole pages.
    this.#window = new EventWindow(pageOf(standing.nextSeq) * EVENTS_PER_PAGE - 1);
  }

  /** The first viewer opens the connection to the origin. */
  join(credentials: Credentials): Viewing {
    const viewer = Symbol('viewer');
    this.#viewers.set(viewer, credentials);
    if (this.#viewers.size === 1) void this.#run();
    return {
      after: (cursor) => this.#window.after(cursor),
      changed: (waitMs) => this.#changed(waitMs),
      isOver: () => this.#isBroken || this.#refusedHashes.has(credentials.hash),
      leave: () => {
        if (!this.#viewers.delete(viewer) || this.#viewers.size > 0) return;
        this.#closed.abort();
        this.#onIdle();
      },
    };
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const rechecking = setInterval(() => void this.#recheck(), RECHECK_MS);
    try {
      await this.#follow();
    } catch (error) {
      this.#isBroken = true;
      // The viewers are disconnected and reconnect. The platform keeps what is written to the console.
      if (!this.#closed.signal.aborted) console.error(`the stream of ${this.#standing.id} broke:`, error);
    } finally {
      clearInterval(rechecking);
      this.#wake();
      this.#onIdle();
    }
  }

  /** Follows the log with the credentials of one viewer; when they are refused, with those of another. */
  async #follow(): Promise<void> {
    for (let current = this.#voucher(); current !== undefined; current = this.#voucher()) {
      let used = current;
      const events = followGeneration({
        baseUrl: this.#origin.url,
        generationId: this.#standing.id,
        after: this.#window.lastSeq,
        signal: this.#closed.signal,
        fetch: (input, init) => {
          used = this.#voucher() ?? used;
          return this.#origin.fetch(input, { ...withoutCacheMode(init), headers: used.headers });
        },
      });
      try {
        for await (const event of events) {
          this.#window.add(event);
          this.#wake();
        }
        return;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.#refusedHashes.add(used.hash);
        this.#wake();
      }
    }
  }

  /** The credentials of a present viewer, which authorise the connection; a viewer that left no longer does. */
  #voucher(): Credentials | undefined {
    return [...this.#viewers.values()].find(({ hash }) => !this.#refusedHashes.has(hash));
  }

  /** Asks the origin about every key: it ends the connection of a revoked key, but only one key has a connection. */
  async #recheck(): Promise<void> {
    const byHash = new Map([...this.#viewers.values()].map((credentials) => [credentials.hash, credentials]));
    const url = `${generationUrl(this.#origin, this.#standing.id)}/standing`;
    for (const { hash, headers } of byHash.values()) {
      const answer = await ask(this.#origin, url, headers).catch(() => null);
      await answer?.body?.cancel();
      if (answer !== null && REFUSALS.has(answer.status)) this.#refusedHashes.add(hash);
    }
    this.#wake();
  }

  #changed(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** The newest events, up to a total size. */
class EventWindow {
  readonly #events: GenerationEvent[] = [];
  /** The seq before the first event that is held. */
  #base: number;
  #chars = 0;

  constructor(base: number) {
    this.#base = base;
  }

  get lastSeq(): number {
    return this.#events.at(-1)?.seq ?? this.#base;
  }

  add(event: GenerationEvent): void {
    this.#events.push(event);
    this.#chars += sizeOf(event);
    while (this.#chars > LIMITS.edgeWindowBytes && this.#events.length > 1) {
      const oldest = this.#events.shift();
      if (oldest === undefined) return;
      this.#chars -= sizeOf(oldest);
      this.#base = oldest.seq;
    }
  }

  after(cursor: number): readonly GenerationEvent[] | null {
    if (cursor < this.#base) return null;
    // Searched from the end, where most viewers are.
    const next = this.#events.findLastIndex(({ seq }) => seq <= cursor) + 1;
    const first = this.#events[next];
    if (first === undefined) return [];
    // A merged event may start before the cursor; the page has its parts.
    return (first.from ?? first.seq) === cursor + 1 ? this.#events.slice(next) : null;
  }
}

function sizeOf(event: GenerationEvent): number {
  return 'text' in event ? event.text.length + 64 : 256;
}

/** Some edge runtimes reject the option `cache`, and none of them caches this response. */
function withoutCacheMode(init: RequestInit | undefined): RequestInit {
  const { cache: _mode, ...rest } = init ?? {};
  return rest;
}
