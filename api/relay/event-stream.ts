/** Relays one log over SSE, from a cursor to its end. As many are open as there are readers, so each holds little. */
import { LOG_ENDED_COMMENT } from '../../contracts/limits.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { logFailure } from '../http/handle-error.ts';
import { toPublicError } from '../http/to-public-error.ts';
import { chunkOf } from './chunk.ts';
import type { EventConnection } from './event-connection.ts';
import { type RelaySource, relayEvents } from './relay-events.ts';
import { EventSink } from './sse.ts';
import { Stop } from './stop.ts';

/** How long an `EventSource` waits before it reconnects: after a failure, and after a planned end. */
const RETRY = chunkOf('retry: 1000\n\n');
const ROTATED_RETRY_MS = 250;
const LOG_ENDED = chunkOf(`: ${LOG_ENDED_COMMENT}\n\n`);
/** Grace period for a client to read the end of its response; then the connection is cut. */
const END_MS = 500;
const PATH = '/v1/generations/:id/events';

export type EventStreamSource = RelaySource & Pick<ApiDependencies, 'log' | 'leaving' | 'logger'>;

interface Followed {
  readonly generationId: string;
  /** The last seq that the client has; -1 for none. */
  readonly after: number;
  /** By `performance.now()`; null if the client named no limit. */
  readonly endsAtMs: number | null;
  /** Whether the client came with the last event of the log. */
  readonly hasWholeLog: boolean;
}

/** The open streams by the signal that ends them: it has one listener for all of them. */
const streamsUntil = new WeakMap<AbortSignal, Set<EventStream>>();

function streamsThatEndWith(leaving: AbortSignal): Set<EventStream> {
  const known = streamsUntil.get(leaving);
  if (known !== undefined) return known;
  const streams = new Set<EventStream>();
  streamsUntil.set(leaving, streams);
  leaving.addEventListener('abort', () => {
    for (const stream of [...streams]) stream.leave('the server shuts down');
  });
  return streams;
}

export class EventStream {
  readonly #source: EventStreamSource;
  readonly #connection: EventConnection;
  readonly #followed: Followed;
  readonly #stop = new Stop();
  #why: string | null = null;
  #limit: NodeJS.Timeout | undefined;
  #overdue: NodeJS.Timeout | undefined;

  constructor(source: EventStreamSource, connection: EventConnection, followed: Followed) {
    this.#source = source;
    this.#connection = connection;
    this.#followed = followed;
  }

  start(): void {
    const { leaving } = this.#source;
    const { endsAtMs, generationId, after } = this.#followed;
    streamsThatEndWith(leaving).add(this);
    this.#connection.onClose(() => this.#close());
    if (leaving.aborted) this.leave('the server shuts down');
    if (endsAtMs !== null) {
      const leftMs = Math.max(0, endsAtMs - performance.now());
      this.#limit = setTimeout(() => this.leave('until_ms is over'), leftMs);
    }
    this.#connection.write(RETRY);
    const sink = new EventSink(this.#connection);
    relayEvents(this.#source, { generationId, after, sink, signal: this.#stop }).then(
      () => this.#end(),
      (error: unknown) => this.#fail(error),
    );
  }

  /** Ends the stream before its log does: the client comes back with its cursor. */
  leave(why: string): void {
    this.#why ??= why;
    this.#stop.abort();
    // For a client so slow that the end of its stream waits behind text: a cut by the platform would be no better.
    this.#overdue ??= setTimeout(() => this.#connection.destroy(), END_MS);
  }

  #end(): void {
    if (this.#why !== null) {
      this.#connection.write(chunkOf(`: ${this.#why}\nretry: ${ROTATED_RETRY_MS}\n\n`));
    } else if (this.#followed.hasWholeLog) this.#connection.write(LOG_ENDED);
    this.#connection.end();
  }

  #fail(error: unknown): void {
    logFailure(this.#source.logger, error, { publicError: toPublicError(error), path: PATH });
    this.#connection.destroy();
  }

  #close(): void {
    streamsThatEndWith(this.#source.leaving).delete(this);
    clearTimeout(this.#limit);
    clearTimeout(this.#overdue);
    this.#stop.abort();
  }
}
