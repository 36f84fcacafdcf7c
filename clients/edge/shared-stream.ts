/**
 * One connection to the origin for all viewers of a generation. It comes back by its cursor when the origin restarts,
 * and whoever follows it notices nothing: every event has passed the client's check for gaps before it is shown.
 */

import { LIMITS } from '../../contracts/limits.ts';
import { EVENTS_PER_PAGE, type LogStanding, pageOf } from '../../contracts/log-pages.ts';
import { followGeneration, type GenerationEvent } from '../typescript/index.ts';
import { ask, type Credentials, generationUrl, isRefusal, type Origin, REFUSALS } from './origin.ts';

export interface Viewing {
  /** What is held after the cursor; null where a page must be read, since the window does not begin or split there. */
  after(cursor: number): readonly GenerationEvent[] | null;
  /** Resolves when something has changed, or after `waitMs`. */
  changed(waitMs: number): Promise<void>;
  /** Whether there is no more to come for this viewer: its credentials were refused, or the stream is beyond repair. */
  isOver(): boolean;
  leave(): void;
}

/** A key that is revoked sees no more after this, though the connection to the origin is another's. */
const RECHECK_MS = 15_000;

export interface SharedStream {
  join(credentials: Credentials): Viewing;
}

/** `onIdle` is called when nobody views it any more, or nothing more will come. */
export function openSharedStream(origin: Origin, standing: LogStanding, onIdle: () => void): SharedStream {
  // From the border of a page: what is before it can be read, and kept, as whole pages.
  const window = createWindow(pageOf(standing.nextSeq) * EVENTS_PER_PAGE - 1);
  const viewers = new Map<symbol, Credentials>();
  const refused = new Set<string>();
  const waiting = new Set<() => void>();
  const closed = new AbortController();
  let isBroken = false;
  const wake = () => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  /** Whoever views it now vouches for the connection; a viewer that has left does no longer. */
  const voucher = () => [...viewers.values()].find(({ hash }) => !refused.has(hash));

  const follow = async () => {
    for (let current = voucher(); current !== undefined; current = voucher()) {
      let used = current;
      const events = followGeneration({
        baseUrl: origin.url,
        generationId: standing.id,
        after: window.last(),
        signal: closed.signal,
        fetch: (input, init) => {
          used = voucher() ?? used;
          return origin.fetch(input, { ...withoutCacheMode(init), headers: used.headers });
        },
      });
      try {
        for await (const event of events) {
          window.add(event);
          wake();
        }
        return;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refused.add(used.hash);
        wake();
      }
    }
  };
  /** The origin ends the connection of a key that is revoked, but all keys but one have none of their own. */
  const recheck = async () => {
    const distinct = new Map([...viewers.values()].map((one) => [one.hash, one]));
    for (const { hash, headers } of distinct.values()) {
      const url = `${generationUrl(origin, standing.id)}/standing`;
      const answer = await ask(origin, url, headers).catch(() => null);
      await answer?.body?.cancel();
      if (answer !== null && REFUSALS.has(answer.status)) refused.add(hash);
    }
    wake();
  };
  const begin = () => {
    const rechecking = setInterval(() => void recheck(), RECHECK_MS);
    return follow()
      .catch((error: unknown) => {
        isBroken = true;
        // Its viewers are closed and come back; the platform keeps what is written here.
        if (!closed.signal.aborted) console.error(`the stream of ${standing.id} broke:`, error);
      })
      .finally(() => {
        clearInterval(rechecking);
        wake();
        onIdle();
      });
  };
  return {
    join: (credentials) => {
      const viewer = Symbol('viewer');
      viewers.set(viewer, credentials);
      if (viewers.size === 1) void begin();
      return {
        after: window.after,
        changed: (waitMs) =>
          new Promise((resolve) => {
            const done = () => {
              clearTimeout(timer);
              waiting.delete(done);
              resolve();
            };
            const timer = setTimeout(done, waitMs);
            waiting.add(done);
          }),
        isOver: () => isBroken || refused.has(credentials.hash),
        leave: () => {
          if (!viewers.delete(viewer) || viewers.size > 0) return;
          closed.abort();
          onIdle();
        },
      };
    },
  };
}

/** The newest events, up to a size; `base` is the last event that it does not hold. */
function createWindow(start: number) {
  const events: GenerationEvent[] = [];
  let base = start;
  let chars = 0;
  const last = () => events.at(-1)?.seq ?? base;
  return {
    last,
    add: (event: GenerationEvent) => {
      events.push(event);
      chars += sizeOf(event);
      while (chars > LIMITS.relayWindowBytes && events.length > 1) {
        const oldest = events.shift();
        if (oldest === undefined) return;
        chars -= sizeOf(oldest);
        base = oldest.seq;
      }
    },
    after: (cursor: number): readonly GenerationEvent[] | null => {
      if (cursor < base) return null;
      // From the end: most viewers are there.
      const next = events.findLastIndex(({ seq }) => seq <= cursor) + 1;
      const first = events[next];
      if (first === undefined) return [];
      // A merged event that began before the cursor: the page has its parts.
      return (first.from ?? first.seq) === cursor + 1 ? events.slice(next) : null;
    },
  };
}

function sizeOf(event: GenerationEvent): number {
  return 'text' in event ? event.text.length + 64 : 256;
}

/** Not every edge knows `cache`, and none of them caches this. */
function withoutCacheMode(init: RequestInit | undefined): RequestInit {
  const { cache: _mode, ...rest } = init ?? {};
  return rest;
}
