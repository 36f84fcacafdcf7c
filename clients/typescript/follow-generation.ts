/**
 * Follows a generation through any disconnect. Every event arrives exactly once and in order, or this throws. A lost
 * connection, a restarted API, a proxy that cuts after 30 s and a silent connection only cost time.
 * Runs in browsers and Node: it needs only `fetch` and an SSE parser.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import { LOG_ENDED_COMMENT, RELAY_HEARTBEAT_MS } from '../../contracts/limits.ts';
import { Backoff, type Retry, wait } from './backoff.ts';
import { baseOf, headerValue } from './check-options.ts';
import { ClientError, ConnectionLostError, StreamIntegrityError, UnusableOptionError } from './errors.ts';
import { type EventStreamOptions, readEvents } from './read-events.ts';

export interface FollowOptions {
  /** Where the API is, such as http://127.0.0.1:8787. */
  readonly baseUrl: string;
  readonly apiKey?: string | undefined;
  readonly generationId: string;
  /** The last seq that you already have; -1 (the default) for all. */
  readonly after?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The first delay before a reconnect; it doubles up to 2 s. Default 50. */
  readonly reconnectDelayMs?: number | undefined;
  /** A connection without a byte for this time is replaced. Default: three heartbeats. */
  readonly maxSilenceMs?: number | undefined;
  /** Throws ConnectionLostError when a lost connection was not replaced for this time. Default: 5 minutes. */
  readonly giveUpAfterMs?: number | undefined;
  /** Asks the server to end each connection cleanly after this time, before a proxy would cut it. */
  readonly untilMs?: number | undefined;
  /** Called before every reconnect, for a status line. */
  readonly onReconnect?: ((retry: Retry & { readonly after: number }) => void) | undefined;
}

/** How long to listen for events after the terminal one, which would be a fault, if the server keeps the connection. */
const LINGER_MS = 250;
/** A connection that sends bytes after this time is alive, even if no event is due for minutes. */
const HEARTBEAT_PROOF_MS = 1_000;

/**
 * Yields the events after `after`, up to the terminal one, which is included.
 * Throws StreamIntegrityError on a gap, a duplicate or an event after the terminal one; ClientError on a status
 * that will not pass (401, 404, 410); ConnectionLostError; TypeError on options that cannot be sent; the signal's
 * reason.
 */
export async function* followGeneration(
  options: FollowOptions,
): AsyncGenerator<GenerationEvent, void, undefined> {
  const sequence = new Sequence(options.generationId, options.after ?? -1);
  const backoff = new Backoff(options.reconnectDelayMs ?? 50, options.giveUpAfterMs ?? 300_000);
  const path = `${baseOf(options)}/v1/generations/${encodeURIComponent(options.generationId)}`;
  const maxSilenceMs = options.maxSilenceMs ?? 3 * RELAY_HEARTBEAT_MS;
  const until = options.untilMs === undefined ? '' : `&until_ms=${options.untilMs}`;
  let openedAt = 0;
  let alive = false;
  let hadEnd = false;
  const connection: Omit<EventStreamOptions, 'url'> = {
    headers: headersOf(options.apiKey),
    fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
    signal: options.signal,
    silenceMs: () => (sequence.ended ? LINGER_MS : maxSilenceMs),
    onBytes: () => {
      // Every connection starts with a comment, which proves nothing; a later one is a heartbeat.
      if (performance.now() - openedAt < HEARTBEAT_PROOF_MS) return;
      alive = true;
      backoff.progress();
    },
    onComment: (text) => {
      hadEnd ||= text === LOG_ENDED_COMMENT;
    },
  };
  for (;;) {
    options.signal?.throwIfAborted();
    const before = sequence.after;
    openedAt = performance.now();
    alive = false;
    let cause: unknown;
    try {
      for await (const data of readEvents({
        ...connection,
        url: `${path}/events?after=${sequence.after}${sequence.proof}${until}`,
      })) {
        const event = sequence.accept(data);
        backoff.progress();
        yield event;
      }
    } catch (error) {
      if (error instanceof StreamIntegrityError || error instanceof UnusableOptionError) throw error;
      // An abort that arrives after the last event has nothing left to stop.
      if (!sequence.ended) options.signal?.throwIfAborted();
      if (error instanceof ClientError && !error.passing) throw error;
      cause = error;
    }
    if (sequence.ended || hadEnd) return;
    // A cursor at the end of the log gets an empty stream, just like from a server that closes at once.
    if (
      cause === undefined &&
      sequence.after === before &&
      (await hasEnded(path, sequence.after, connection))
    ) {
      return;
    }
    // The server or platform rotated a stream that was alive and ended cleanly: reconnect without a delay.
    const rotated = cause === undefined && (alive || sequence.after > before);
    cause ??= new Error('the server closed the stream before the generation ended');
    const delayMs = rotated ? 0 : backoff.nextDelayMs(cause);
    if (delayMs === undefined) throw new ConnectionLostError(path, backoff.waitedMs, cause, sequence.after);
    options.onReconnect?.({ cause, delayMs, after: sequence.after });
    await wait(delayMs, options.signal);
  }
}

export function headersOf(apiKey: string | undefined): Record<string, string> {
  return apiKey === undefined ? {} : { authorization: `Bearer ${headerValue('apiKey', apiKey)}` };
}

/** Whether the generation ended at or before `after`. If the request fails: false, so the follow loop continues. */
async function hasEnded(
  url: string,
  after: number,
  connection: Omit<EventStreamOptions, 'url'>,
): Promise<boolean> {
  const timeout = AbortSignal.timeout(connection.silenceMs());
  const signal = connection.signal === undefined ? timeout : AbortSignal.any([connection.signal, timeout]);
  try {
    const response = await connection.fetch(url, { headers: connection.headers, signal });
    const view: unknown = await response.json();
    if (!response.ok || typeof view !== 'object' || view === null) return false;
    if (!('status' in view) || !('lastSeq' in view)) return false;
    return view.status !== 'running' && typeof view.lastSeq === 'number' && view.lastSeq <= after;
  } catch {
    connection.signal?.throwIfAborted();
    return false;
  }
}

/** Holds the cursor and rejects every event but the next one. */
class Sequence {
  after: number;
  /** The query with the time of the last event. After a log has lost its tail, it shows that a cursor is stale. */
  proof = '';
  ended = false;
  readonly #generationId: string;

  constructor(generationId: string, after: number) {
    this.#generationId = generationId;
    this.after = after;
  }

  accept(data: string): GenerationEvent {
    const event = parseEvent(data);
    if (event === undefined) throw this.#broken(`unreadable event ${data.slice(0, 120)}`);
    if (this.ended) throw this.#broken(`event ${event.seq} came after the terminal one`);
    const first = event.from ?? event.seq;
    if (first > event.seq)
      throw this.#broken(`event ${event.seq} begins at ${first}, which is after its end`);
    if (first <= this.after) throw this.#broken(`duplicate: event ${first} came again`);
    if (first > this.after + 1) throw this.#broken(`gap: expected ${this.after + 1}, got ${first}`);
    this.after = event.seq;
    this.proof = Number.isSafeInteger(event.at) ? `&at=${event.at}` : '';
    this.ended = isTerminal(event);
    return event;
  }

  #broken(what: string): StreamIntegrityError {
    return new StreamIntegrityError(this.#generationId, this.after, what);
  }
}

/** Checks only the fields that the order depends on: a newer server may send unknown event types. */
function parseEvent(data: string): GenerationEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  return isEvent(value) ? value : undefined;
}

function isEvent(value: unknown): value is GenerationEvent {
  if (typeof value !== 'object' || value === null) return false;
  if (!('seq' in value) || !Number.isInteger(value.seq)) return false;
  if (!('type' in value) || typeof value.type !== 'string') return false;
  return !('from' in value) || value.from === undefined || Number.isInteger(value.from);
}
