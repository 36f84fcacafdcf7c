/**
 * The one loop that carries a log to a viewer, for SSE and WebSocket alike. A viewer who keeps up is handed each batch
 * as it comes, without a promise or a timer of his own. One who falls behind costs a cursor: nothing waits for him in
 * this process beyond his connection's buffer; the rest is read again from the log, with neighbouring deltas merged.
 * Text is never dropped.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import { DEFAULTS, LIMITS } from '../../contracts/limits.ts';
import { coalesce } from '../../engine/streaming/event-codec.ts';
import type { LogHead, LogReader } from '../../engine/streaming/event-log.ts';
import type { LiveLogs } from '../../engine/streaming/live-logs.ts';
import { isRedisAway } from '../../platform/redis/redis-connection.ts';
import { goneError, tailLost } from './check-cursor.ts';

export interface ViewerSink {
  /** Whether the connection takes more without growing past its buffer. */
  ready(): boolean;
  /** Resolves with true when it is ready, with false when it is gone. */
  whenReady(): Promise<boolean>;
  /** Hands events to the connection; called only when it is ready, with what fits its buffer. */
  send(events: readonly GenerationEvent[]): void;
  heartbeat(): void;
  /** The viewer has taken nothing for too long. @returns whether the connection was closed for it. */
  closeStalled(): boolean;
  /** Whether neighbouring deltas may be merged; false where each delta has a number of its own. */
  readonly coalesces: boolean;
}

export interface RelaySource {
  readonly log: LogReader;
  readonly live: LiveLogs;
  /** Silence after which a viewer gets a sign of life. */
  readonly heartbeatMs?: number | undefined;
  /** Told of a log on which nothing has come for so long. */
  readonly onSilence?: ((generationId: string) => void) | undefined;
}

export interface Relay {
  readonly generationId: string;
  /** The last seq that the viewer has; -1 for none. */
  readonly after: number;
  readonly sink: ViewerSink;
  readonly signal: AbortSignal;
  /** How long the viewer may take nothing; `LIMITS.viewerStallMs` if absent. */
  readonly stallMs?: number;
}

/** A quarter of a connection's buffer: so much is handed over at a time. */
const SLICE_BYTES = LIMITS.viewerBufferBytes / 4;
/** What an event weighs beside its text once it is encoded; an upper figure of all formats. */
const EVENT_BYTES = 320;
/** UTF-8 takes up to four bytes for a character. */
const MERGED_CHARS = SLICE_BYTES / 4;
/** A viewer who has been full is likely to be full soon again: what is read for him and not sent is read once more. */
const ENTRIES_WHEN_SLOW = 2;
const TICK_MS = 1_000;

/**
 * @returns the viewer's cursor when the log has ended or the signal was given. While Redis is away the viewer waits.
 * Rejects where the log cannot be read.
 */
export async function relayEvents(
  { log, live, heartbeatMs = DEFAULTS.relayHeartbeatMs, onSilence }: RelaySource,
  { generationId, after, sink, signal, stallMs = LIMITS.viewerStallMs }: Relay,
): Promise<number> {
  const viewer = createViewer({
    generationId,
    after,
    sink,
    stallMs,
    heartbeatMs,
    onSilence: () => onSilence?.(generationId),
  });
  const shared = await live.follow(generationId, viewer.onBatch);
  const leave = () => viewer.end();
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  enlist(viewer);
  try {
    viewer.begin({
      window: (cursor) => shared.after(cursor),
      stored: (cursor, entries) =>
        shared.readTogether(`${cursor} ${entries}`, () => readWithKnown(log, generationId, cursor, entries)),
      head: () => log.head(generationId),
    });
    return await viewer.ended;
  } finally {
    watched.delete(viewer);
    signal.removeEventListener('abort', leave);
    await shared.release();
  }
}

/** What stands in the log at the cursor that a reading began after. */
const knownBefore = new WeakMap<readonly GenerationEvent[], GenerationEvent>();

/** The events after the cursor; the one at the cursor is noted, so that a viewer can tell whether it is still his. */
async function readWithKnown(
  log: LogReader,
  generationId: string,
  cursor: number,
  entries: number,
): Promise<GenerationEvent[]> {
  if (cursor < 0) return log.read(generationId, cursor, entries);
  const found = await log.read(generationId, cursor - 1, entries + 1);
  const [known] = found;
  if (known?.seq !== cursor) return found;
  const own = found.slice(1);
  // The limit on events may end a reading with the known one, where the next entry alone is over it.
  const events = own.length > 0 ? own : await log.read(generationId, cursor, 1);
  knownBefore.set(events, known);
  return events;
}

interface Source {
  /** Events after the cursor, as far as they came by the subscription; null where only the log has them. */
  window(cursor: number): readonly GenerationEvent[] | null;
  stored(cursor: number, entries: number): Promise<readonly GenerationEvent[]>;
  head(): Promise<LogHead | null>;
}

interface Viewer {
  readonly ended: Promise<number>;
  begin(source: Source): void;
  onBatch(batch: readonly GenerationEvent[] | null): void;
  end(): void;
  /** Called every second: notices silence and stalls. */
  tick(nowMs: number): void;
}

interface ViewerPlan {
  readonly generationId: string;
  readonly after: number;
  readonly sink: ViewerSink;
  readonly stallMs: number;
  readonly heartbeatMs: number;
  onSilence(): void;
}

function createViewer(plan: ViewerPlan): Viewer {
  const { generationId, after, sink, stallMs, heartbeatMs, onSilence } = plan;
  let cursor = after;
  /** `at` of the last event that was sent; null before there is one. */
  let lastAtMs: number | null = null;
  let source: Source = { window: () => [], stored: async () => [], head: async () => null };
  /** `idle`: has all that there is and waits for the next batch. */
  let state: 'idle' | 'reading' | 'ended' = 'reading';
  let blockedSinceMs: number | null = null;
  let sentAtMs = Date.now();
  /** The log could not be read, because Redis was away. */
  let mustAsk = false;
  const { promise: ended, resolve, reject } = Promise.withResolvers<number>();

  const isEnded = () => state === 'ended';
  const end = () => {
    state = 'ended';
    resolve(cursor);
  };
  const send = (events: readonly GenerationEvent[]) => {
    const last = events.at(-1);
    if (last === undefined) return;
    sink.send(events);
    sentAtMs = Date.now();
    cursor = last.seq;
    lastAtMs = last.at;
    if (isTerminal(last)) end();
  };
  const waitUntilReady = async () => {
    blockedSinceMs = Date.now();
    if (!(await sink.whenReady())) end();
    blockedSinceMs = null;
  };

  const readOn = async (askLog: boolean) => {
    if (isEnded()) return;
    state = 'reading';
    mustAsk = false;
    let events = askLog ? null : source.window(cursor);
    let entries: number = LIMITS.entriesPerRead;
    while (!isEnded()) {
      if (!sink.ready()) {
        // Nothing is held meanwhile: what comes until then is read afterwards, merged.
        await waitUntilReady();
        events = source.window(cursor);
        entries = ENTRIES_WHEN_SLOW;
        continue;
      }
      if (events === null) {
        events = await source.stored(cursor, entries);
        const isCut = lastAtMs !== null && knownBefore.get(events)?.at !== lastAtMs;
        // A log that was erased ends without its end: a viewer who was behind would wait for that for ever.
        if (isCut || (events.length === 0 && (lastAtMs === null || askLog))) {
          const gone = goneError(generationId, await source.head());
          if (isCut || gone !== null) throw gone ?? tailLost(null);
        }
        entries = Math.min(2 * entries, LIMITS.entriesPerRead);
      }
      if (isEnded()) return;
      const isEnd = events.length === 0;
      for (const slice of slicesOf(sink.coalesces ? merged(events) : events)) {
        if (isEnded() || !sink.ready()) break;
        send(slice);
      }
      events = source.window(cursor);
      // Nothing is in the log, and nothing has come since it was asked: the next batch will be handed over.
      if (events === null ? isEnd : events.length === 0) break;
    }
    if (!isEnded()) state = 'idle';
  };
  const fail = (error: unknown) => {
    state = 'ended';
    reject(error);
  };
  const goOn = (askLog = false) => {
    readOn(askLog).catch((error: unknown) => {
      if (!isRedisAway(error) || isEnded()) fail(error);
      else {
        // The viewer waits with it: nothing is lost, and what he has stays good.
        mustAsk = true;
        state = 'idle';
      }
    });
  };
  const takeBatch = (batch: readonly GenerationEvent[] | null) => {
    const isNext = batch !== null && batch[0]?.seq === cursor + 1;
    const events = isNext && sink.coalesces ? merged(batch) : batch;
    if (isNext && events !== null && sink.ready() && weightOf(events) <= SLICE_BYTES) send(events);
    else goOn();
  };

  return {
    ended,
    end,
    begin: (from) => {
      source = from;
      goOn();
    },
    onBatch: (batch) => {
      if (state !== 'idle') return;
      try {
        takeBatch(batch);
      } catch (error) {
        fail(error);
      }
    },
    tick: (nowMs) => {
      if (blockedSinceMs !== null) {
        if (nowMs - blockedSinceMs >= stallMs && sink.closeStalled()) end();
        return;
      }
      if (state === 'ended') return;
      const isSilent = nowMs - sentAtMs >= heartbeatMs;
      if (isSilent && (state === 'idle' || mustAsk)) {
        sentAtMs = nowMs;
        if (sink.ready()) sink.heartbeat();
        onSilence();
      }
      // A batch can be lost; after a silence the log itself is asked.
      if (state === 'idle' && (isSilent || mustAsk)) goOn(true);
    },
  };
}

/** One timer for all viewers of the process. */
const watched = new Set<Viewer>();
let ticker: NodeJS.Timeout | undefined;

function enlist(viewer: Viewer): void {
  watched.add(viewer);
  ticker ??= setInterval(() => {
    const nowMs = Date.now();
    for (const one of [...watched]) one.tick(nowMs);
    if (watched.size > 0) return;
    clearInterval(ticker);
    ticker = undefined;
  }, TICK_MS).unref();
}

/** Viewers of one log share its batches, so each is merged once. */
const mergedBatches = new WeakMap<readonly GenerationEvent[], readonly GenerationEvent[]>();

function merged(events: readonly GenerationEvent[]): readonly GenerationEvent[] {
  if (events.length < 2) return events;
  let batch = mergedBatches.get(events);
  if (batch === undefined) {
    batch = coalesce(events, MERGED_CHARS);
    mergedBatches.set(events, batch);
  }
  return batch;
}

function weightOf(events: readonly GenerationEvent[]): number {
  let bytes = 0;
  for (const event of events) bytes += EVENT_BYTES + ('text' in event ? 4 * event.text.length : 0);
  return bytes;
}

/** What fits the viewer's buffer at a time. */
function* slicesOf(events: readonly GenerationEvent[]): Generator<readonly GenerationEvent[]> {
  let from = 0;
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    bytes += weightOf([event]);
    if (bytes < SLICE_BYTES && index < events.length - 1) continue;
    yield from === 0 && index === events.length - 1 ? events : events.slice(from, index + 1);
    from = index + 1;
    bytes = 0;
  }
}
