/** The shared streams of one isolate, or of one Durable Object. Viewers of the same generation meet here. */
import type { LogStanding } from '../../contracts/log-pages.ts';
import type { EdgeCache } from './edge-cache.ts';
import { type Credentials, type Origin, readPage } from './origin.ts';
import { SharedStream } from './shared-stream.ts';
import { type LogView, viewLog } from './view-log.ts';

/** An admitted viewer and what it asks for. Plain data, so that a Worker can send it to a Durable Object. */
export interface ViewOrder {
  readonly standing: LogStanding;
  readonly credentials: Credentials;
  readonly after: number;
  readonly untilMs: number | null;
  readonly headers: Readonly<Record<string, string>>;
}

export class LiveStreams {
  readonly #origin: Origin;
  readonly #cache: EdgeCache;
  readonly #streams = new Map<string, SharedStream>();

  constructor(origin: Origin, cache: EdgeCache) {
    this.#origin = origin;
    this.#cache = cache;
  }

  /** @param signal aborts when the viewer has disconnected. */
  view(order: ViewOrder, signal: AbortSignal): Response {
    const live = this.#streamOf(order.standing).join(order.credentials);
    return viewOf(this.#origin, this.#cache, order, { live, signal });
  }

  #streamOf(standing: LogStanding): SharedStream {
    const key = JSON.stringify([standing.tenant, standing.id]);
    const open = this.#streams.get(key);
    if (open !== undefined) return open;
    const stream: SharedStream = new SharedStream(this.#origin, standing, () => {
      if (this.#streams.get(key) === stream) this.#streams.delete(key);
    });
    this.#streams.set(key, stream);
    return stream;
  }
}

/** Serves a log that has ended: all of it is in pages. */
export function viewEnded(origin: Origin, cache: EdgeCache, order: ViewOrder, signal: AbortSignal): Response {
  return viewOf(origin, cache, order, { live: null, signal });
}

function viewOf(
  origin: Origin,
  cache: EdgeCache,
  { standing, credentials, after, untilMs, headers }: ViewOrder,
  { live, signal }: Pick<LogView, 'live' | 'signal'>,
): Response {
  return viewLog({
    generationId: standing.id,
    after,
    untilMs,
    headers,
    live,
    signal,
    lastSeq: live === null ? standing.nextSeq - 1 : null,
    readPage: (cursor) => readPage(origin, cache, standing, { after: cursor, credentials }),
  });
}
