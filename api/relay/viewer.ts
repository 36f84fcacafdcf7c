/**
 * Sends one log to one connection. A viewer that keeps up gets each batch in the call that delivers it, without its
 * own promise or timer. When it falls behind, the process keeps only its cursor and its connection's buffer; the rest
 * is read from the log again, with neighbouring deltas merged. Text is never dropped.
 */
import assert from 'node:assert/strict';
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import { isRedisAway } from '../../platform/redis/redis-connection.ts';
import { goneError, hasWholeLog, tailLost } from './check-cursor.ts';
import { encodedBytes, mergeBatch, SLICE_BYTES, slicesOf } from './slices.ts';

/** A connection, as a viewer writes to it. */
export interface ViewerSink {
  /** Whether the connection takes more without growing past its buffer. */
  ready(): boolean;
  /** Resolves with true when it is ready, with false when it is gone. */
  whenReady(): Promise<boolean>;
  /** Writes events to the connection; called only when it is ready, with no more than fits its buffer. */
  send(events: readonly GenerationEvent[]): void;
  heartbeat(): void;
  /** Called when the connection has taken nothing for too long. @returns whether it was closed. */
  closeStalled(): boolean;
  /** Whether neighbouring deltas may be merged; false for formats that number each delta. */
  readonly coalesces: boolean;
}

/** Where a viewer's events come from. */
export interface ViewerSource {
  /**
   * Events after the cursor that the subscription delivered; null when only the log has them, or when the event at
   * the cursor is not the one of `cursorAtMs`.
   */
  window(cursor: number, cursorAtMs: number | null): readonly GenerationEvent[] | null;
  stored(cursor: number, entries: number): Promise<StoredEvents>;
  head(): Promise<LogHead | null>;
}

export interface StoredEvents {
  readonly events: readonly GenerationEvent[];
  /** `at` of the event at the cursor; undefined when the log has no such event, or the cursor is -1. */
  readonly cursorAtMs: number | undefined;
}

interface ViewerOptions {
  readonly generationId: string;
  /** The last seq that the client has; -1 for none. */
  readonly after: number;
  readonly sink: ViewerSink;
  readonly source: ViewerSource;
  readonly stallMs: number;
  readonly heartbeatMs: number;
  readonly onSilence: () => void;
}

/** A connection that was full will probably be full again soon, and what it does not take must be read twice. */
const ENTRIES_WHEN_SLOW = 2;

export class Viewer {
  readonly #options: ViewerOptions;
  readonly #ended = Promise.withResolvers<number>();
  #cursor: number;
  /** `at` of the last event that was sent; null before the first. */
  #lastAtMs: number | null = null;
  /** `idle`: has every event so far and waits for the next batch. */
  #state: 'idle' | 'reading' | 'ended' = 'reading';
  #blockedSinceMs: number | null = null;
  #sentAtMs = Date.now();
  /** Redis was unreachable at the last read, so the log may have more. */
  #mustReadLog = false;
  /** Batches may have been lost since the last read of the log, so what the window holds may not follow the cursor. */
  #isLossReported = false;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.#cursor = options.after;
  }

  /** @returns the cursor, when the log has ended or the viewer was stopped. Rejects when the log cannot be read. */
  run(): Promise<number> {
    this.#read();
    return this.#ended.promise;
  }

  stop(): void {
    this.#state = 'ended';
    this.#ended.resolve(this.#cursor);
  }

  /** Takes what was just appended; null when batches may have been lost. Never throws. */
  takeBatch(batch: readonly GenerationEvent[] | null): void {
    if (batch === null) this.#isLossReported = true;
    // A viewer that is reading finds the batch in the window or in the log.
    if (this.#state !== 'idle') return;
    try {
      this.#sendOrRead(batch);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Called about once a second. Sends heartbeats, closes stalled connections, and reads the log after a silence. */
  checkTime(nowMs: number): void {
    const { sink, stallMs, heartbeatMs, onSilence } = this.#options;
    if (this.#blockedSinceMs !== null) {
      if (nowMs - this.#blockedSinceMs >= stallMs && sink.closeStalled()) this.stop();
      return;
    }
    if (this.#state === 'ended') return;
    const isSilent = nowMs - this.#sentAtMs >= heartbeatMs;
    if (isSilent && (this.#state === 'idle' || this.#mustReadLog)) {
      this.#sentAtMs = nowMs;
      if (sink.ready()) sink.heartbeat();
      onSilence();
    }
    // Pub/sub can lose a batch without notice, so after a silence the log itself is read.
    if (this.#state === 'idle' && (isSilent || this.#mustReadLog)) this.#read({ skipWindow: true });
  }

  #sendOrRead(batch: readonly GenerationEvent[] | null): void {
    const { sink } = this.#options;
    if (batch !== null && isRunAfter(this.#cursor, batch) && sink.ready()) {
      const events = sink.coalesces ? mergeBatch(batch) : batch;
      if (encodedBytes(events) <= SLICE_BYTES) {
        this.#send(events);
        return;
      }
    }
    this.#read();
  }

  #read({ skipWindow }: { readonly skipWindow: boolean } = { skipWindow: false }): void {
    this.#readUntilIdle(skipWindow).catch((error: unknown) => {
      if (!isRedisAway(error) || this.#isEnded()) this.#fail(error);
      else {
        // The viewer waits for Redis: nothing is lost, and its cursor stays valid.
        this.#mustReadLog = true;
        this.#state = 'idle';
      }
    });
  }

  async #readUntilIdle(skipWindow: boolean): Promise<void> {
    if (this.#isEnded()) return;
    const { sink } = this.#options;
    this.#state = 'reading';
    this.#mustReadLog = false;
    let events = skipWindow ? null : this.#window();
    let entries: number = LIMITS.entriesPerRead;
    while (!this.#isEnded()) {
      if (!sink.ready()) {
        // No events are held during the wait: those that arrive until then are read afterwards, merged.
        await this.#waitUntilReady();
        events = this.#window();
        entries = ENTRIES_WHEN_SLOW;
        continue;
      }
      if (events === null) {
        events = await this.#readLog(entries, skipWindow);
        entries = Math.min(2 * entries, LIMITS.entriesPerRead);
      }
      if (this.#isEnded()) return;
      const wasEmpty = events.length === 0;
      this.#sendWhileReady(events);
      events = this.#window();
      // The log had no more, and nothing has arrived since that read: the next batch will be handed over.
      if (events === null ? wasEmpty && !this.#isLossReported : events.length === 0) break;
    }
    if (!this.#isEnded()) this.#state = 'idle';
  }

  /** After a loss only the log can show whether Redis still has the event at the cursor. */
  #window(): readonly GenerationEvent[] | null {
    return this.#isLossReported ? null : this.#options.source.window(this.#cursor, this.#lastAtMs);
  }

  async #readLog(entries: number, isAfterSilence: boolean): Promise<readonly GenerationEvent[]> {
    const { generationId, source } = this.#options;
    this.#isLossReported = false;
    const { events, cursorAtMs } = await source.stored(this.#cursor, entries);
    const isCut = this.#lastAtMs !== null && cursorAtMs !== this.#lastAtMs;
    // An erased log has no terminal event, so a viewer that was behind would wait for it for ever.
    if (isCut || (events.length === 0 && (this.#lastAtMs === null || isAfterSilence))) {
      const head = await source.head();
      const gone = goneError(generationId, head);
      if (isCut || gone !== null) throw gone ?? tailLost(null);
      // A client that came back with the end would wait for ever: no event ends its stream.
      if (head !== null && hasWholeLog(head, this.#cursor)) this.stop();
    }
    return events;
  }

  #sendWhileReady(events: readonly GenerationEvent[]): void {
    const { sink } = this.#options;
    for (const slice of slicesOf(sink.coalesces ? mergeBatch(events) : events)) {
      if (this.#isEnded() || !sink.ready()) return;
      this.#send(slice);
    }
  }

  #send(events: readonly GenerationEvent[]): void {
    const last = events.at(-1);
    if (last === undefined) return;
    assert(!this.#isEnded(), 'nothing is sent after the end');
    assertGapless(this.#cursor, events);
    this.#options.sink.send(events);
    this.#sentAtMs = Date.now();
    this.#cursor = last.seq;
    this.#lastAtMs = last.at;
    if (isTerminal(last)) this.stop();
  }

  async #waitUntilReady(): Promise<void> {
    this.#blockedSinceMs = Date.now();
    if (!(await this.#options.sink.whenReady())) this.stop();
    this.#blockedSinceMs = null;
  }

  #isEnded(): boolean {
    return this.#state === 'ended';
  }

  #fail(error: unknown): void {
    this.#state = 'ended';
    this.#ended.reject(error);
  }
}

/** Whether a batch, which is never merged, holds the very next events and no gap. */
function isRunAfter(cursor: number, batch: readonly GenerationEvent[]): boolean {
  return batch[0]?.seq === cursor + 1 && batch.at(-1)?.seq === cursor + batch.length;
}

/** Every event begins where the one before it ended, so the cursor that follows is exactly what the client has. */
function assertGapless(cursor: number, events: readonly GenerationEvent[]): void {
  let before = cursor;
  for (const { seq, from = seq } of events) {
    assert(from === before + 1 && seq >= from, `event ${from} to ${seq} must follow event ${before}`);
    before = seq;
  }
}
