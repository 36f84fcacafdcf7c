/**
 * Relays a log to one viewer, until the log ends or the viewer leaves; SSE, WebSockets and all wire formats use it.
 * Viewers of one log share its subscription and its reads, and all viewers share one timer, so a viewer costs a cursor.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import { DEFAULTS, LIMITS } from '../../contracts/limits.ts';
import type { LogHead, LogReader } from '../../engine/streaming/event-log.ts';
import type { BatchListener, LiveLog, LiveLogs } from '../../engine/streaming/live-logs.ts';
import type { StopSignal } from './stop.ts';
import { type StoredEvents, Viewer, type ViewerSink, type ViewerSource } from './viewer.ts';

export interface RelaySource {
  readonly log: LogReader;
  readonly live: LiveLogs;
  /** Silence after which a viewer gets a heartbeat. */
  readonly heartbeatMs?: number | undefined;
  /** Called for a log that has been silent for `heartbeatMs`. */
  readonly onSilence?: ((generationId: string) => void) | undefined;
}

interface Relay {
  readonly generationId: string;
  /** The last seq that the client has; -1 for none. */
  readonly after: number;
  readonly sink: ViewerSink;
  readonly signal: StopSignal;
  /** How long the connection may take nothing; `LIMITS.viewerStallMs` if absent. */
  readonly stallMs?: number;
}

const TICK_MS = 1_000;

/**
 * @returns the viewer's cursor when the log has ended or the signal was aborted. While Redis is unreachable the viewer
 * waits. Rejects when the log cannot be read.
 */
export async function relayEvents(
  { log, live, heartbeatMs = DEFAULTS.relayHeartbeatMs, onSilence }: RelaySource,
  { generationId, after, sink, signal, stallMs = LIMITS.viewerStallMs }: Relay,
): Promise<number> {
  // Batches that arrive before the viewer exists are in the window that its first read looks into.
  let onBatch: BatchListener = () => undefined;
  const shared = await live.follow(generationId, (batch) => onBatch(batch));
  const viewer = new Viewer({
    generationId,
    after,
    sink,
    stallMs,
    heartbeatMs,
    onSilence: () => onSilence?.(generationId),
    source: new FollowedLog(log, shared, generationId),
  });
  onBatch = (batch) => viewer.takeBatch(batch);
  const stop = () => viewer.stop();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  addToClock(viewer);
  try {
    return await viewer.run();
  } finally {
    viewers.delete(viewer);
    signal.removeEventListener('abort', stop);
    await shared.release();
  }
}

class FollowedLog implements ViewerSource {
  readonly #log: LogReader;
  readonly #shared: LiveLog;
  readonly #generationId: string;

  constructor(log: LogReader, shared: LiveLog, generationId: string) {
    this.#log = log;
    this.#shared = shared;
    this.#generationId = generationId;
  }

  window(cursor: number, cursorAtMs: number | null): readonly GenerationEvent[] | null {
    return this.#shared.after(cursor, cursorAtMs);
  }

  async stored(cursor: number, entries: number): Promise<StoredEvents> {
    const read = () => readWithCursor(this.#log, { generationId: this.#generationId, cursor, entries });
    const events = await this.#shared.readTogether(`${cursor} ${entries}`, read);
    return { events, cursorAtMs: eventAtCursor.get(events)?.at };
  }

  head(): Promise<LogHead | null> {
    return this.#log.head(this.#generationId);
  }
}

/**
 * The event at the cursor of a read, by the array of events, because all viewers that share the read get that array.
 */
const eventAtCursor = new WeakMap<readonly GenerationEvent[], GenerationEvent>();

interface LogRead {
  readonly generationId: string;
  readonly cursor: number;
  readonly entries: number;
}

/** Reads the events after the cursor, and records the one at it, by which a viewer detects that the log was torn. */
async function readWithCursor(
  log: LogReader,
  { generationId, cursor, entries }: LogRead,
): Promise<GenerationEvent[]> {
  if (cursor < 0) return log.read(generationId, cursor, entries);
  const events = await log.read(generationId, cursor - 1, entries + 1);
  const [first] = events;
  if (first?.seq !== cursor) return events;
  const later = events.slice(1);
  // The limit on events may end a read with the event at the cursor, when the next entry alone is over that limit.
  const after = later.length > 0 ? later : await log.read(generationId, cursor, 1);
  eventAtCursor.set(after, first);
  return after;
}

/** One timer for all viewers of the process. */
const viewers = new Set<Viewer>();
let clock: NodeJS.Timeout | undefined;

function addToClock(viewer: Viewer): void {
  viewers.add(viewer);
  clock ??= setInterval(() => {
    const nowMs = Date.now();
    for (const each of [...viewers]) each.checkTime(nowMs);
    if (viewers.size > 0) return;
    clearInterval(clock);
    clock = undefined;
  }, TICK_MS).unref();
}
