/** The shared streams of one isolate, or of one Durable Object: viewers of the same generation meet here. */
import type { LogStanding } from '../../contracts/log-pages.ts';
import type { EdgeCache } from './edge-cache.ts';
import { type Credentials, type Origin, readPage } from './origin.ts';
import { openSharedStream, type SharedStream } from './shared-stream.ts';
import { type LogView, viewLog } from './view-log.ts';

/** A viewer that was let in, and what it asked for; plain data, so that it can be handed on. */
export interface ViewOrder {
  readonly standing: LogStanding;
  readonly credentials: Credentials;
  readonly after: number;
  readonly untilMs: number | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface LiveStreams {
  /** `signal` is given when the viewer has gone. */
  view(order: ViewOrder, signal: AbortSignal): Response;
}

export function createLiveStreams(origin: Origin, cache: EdgeCache): LiveStreams {
  const streams = new Map<string, SharedStream>();
  const streamOf = (standing: LogStanding): SharedStream => {
    const key = JSON.stringify([standing.tenant, standing.id]);
    const known = streams.get(key);
    if (known !== undefined) return known;
    const opened: SharedStream = openSharedStream(origin, standing, () => {
      if (streams.get(key) === opened) streams.delete(key);
    });
    streams.set(key, opened);
    return opened;
  };
  return {
    view: (order, signal) => {
      const live = streamOf(order.standing).join(order.credentials);
      return viewOf(origin, cache, order, { live, signal });
    },
  };
}

/** A log that has ended: all of it is in pages. */
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
