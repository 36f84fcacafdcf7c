/**
 * Writes one log in one epoch. One append is in flight at a time, and at most one leaves in a frame: events that arrive
 * meanwhile go with the next. The first token leaves at once, and so does the end.
 */
import assert from 'node:assert/strict';
import type { EventBody } from '../../contracts/events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { logprobBytes } from '../../contracts/token-logprobs.ts';
import type { LogWriter } from './event-log.ts';
import type { FrameClock } from './frame-clock.ts';

/**
 * Appends a batch at `expectedSeq`, atomically. Safe to repeat. Rejects when the log refuses for good.
 * @returns the seq that the log gives to its next event.
 */
export type AppendBatch = (
  expectedSeq: number,
  events: readonly EventBody[],
  checkpoint: unknown,
) => Promise<number>;

/** How much one append carries, and how much may wait for it. */
export type WriterLimits = Pick<
  { [Name in keyof typeof LIMITS]: number },
  'eventsPerAppend' | 'writerBufferBytes'
>;

interface WriterStart extends Pick<LogWriter, 'opener'> {
  readonly firstSeq: number;
  readonly append: AppendBatch;
  readonly frames: FrameClock;
  readonly limits?: WriterLimits | undefined;
}

/** What a reader sees appear. The first of each kind does not wait for its frame: it may follow others closely. */
const SHOWN: ReadonlySet<EventBody['type']> = new Set(['text-delta', 'reasoning-delta', 'tool-call-delta']);

const WRITTEN = Promise.resolve();

/** An event with its number, and the source's position once that event is read: undefined if it did not move. */
export interface PendingEvent {
  readonly seq: number;
  readonly event: EventBody;
  readonly checkpoint: unknown;
}

export class BatchingLogWriter implements LogWriter {
  readonly opener: string;
  readonly #append: AppendBatch;
  readonly #frames: FrameClock;
  readonly #limits: WriterLimits;
  #nextSeq: number;
  /** The seq after the last event that the log has acknowledged. */
  #appendedSeq: number;
  #pending: PendingEvent[] = [];
  #pendingChars = 0;
  #drain: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  readonly #shown = new Set<EventBody['type']>();
  /** When the last append with something to show left. */
  #shownAtMs = Number.NEGATIVE_INFINITY;
  /** What is pending has the first of its kind, and leaves at once. */
  #isUrgent = false;
  /** Callers that wait until everything is appended. */
  #waiters = 0;
  /** Ends the wait for the frame; null if there is none. */
  #leave: (() => void) | null = null;

  constructor({ firstSeq, opener, append, frames, limits = LIMITS }: WriterStart) {
    this.opener = opener;
    this.#append = append;
    this.#frames = frames;
    this.#limits = limits;
    this.#nextSeq = firstSeq;
    this.#appendedSeq = firstSeq;
  }

  get nextSeq(): number {
    return this.#nextSeq;
  }

  write(event: EventBody, checkpoint?: unknown): Promise<void> {
    if (this.#failure !== null) return handled(Promise.reject(this.#failure.error));
    this.#pending.push({ seq: this.#nextSeq, event, checkpoint });
    this.#nextSeq += 1;
    this.#pendingChars += textChars(event);
    if (SHOWN.has(event.type) && !this.#shown.has(event.type)) {
      this.#shown.add(event.type);
      this.#isUrgent = true;
      this.#leave?.();
    }
    // The next write or flush throws its failure.
    this.#drain ??= handled(this.#drainPending());
    return this.#isFull() ? handled(this.#untilDrained(this.#drain)) : WRITTEN;
  }

  async flush(): Promise<void> {
    while (this.#drain !== null) await this.#untilDrained(this.#drain);
    if (this.#failure !== null) throw this.#failure.error;
  }

  #isFull(): boolean {
    const { writerBufferBytes, eventsPerAppend } = this.#limits;
    return this.#pendingChars > writerBufferBytes || this.#pending.length > eventsPerAppend;
  }

  async #untilDrained(drain: Promise<void>): Promise<void> {
    this.#waiters += 1;
    this.#leave?.();
    try {
      await drain;
    } finally {
      this.#waiters -= 1;
    }
  }

  async #drainPending(): Promise<void> {
    try {
      while (this.#pending.length > 0) await this.#appendNext();
    } catch (error) {
      this.#failure = { error };
      this.#pending = [];
      throw error;
    } finally {
      // In the same turn in which the last event left: a later write must find no drain in flight.
      this.#drain = null;
    }
  }

  async #appendNext(): Promise<void> {
    if (this.#mustWait()) await this.#frameEnd();
    const batch = this.#pending.splice(0, this.#limits.eventsPerAppend);
    const events = batch.map(({ event }) => event);
    const expectedSeq = this.#appendedSeq;
    for (const event of events) this.#pendingChars -= textChars(event);
    // The newest of this batch, never of a later one: a resumed stream would skip the events in between.
    const covering = batch.findLast(({ checkpoint }) => checkpoint !== undefined);
    assertBatch(expectedSeq, batch, covering);
    this.#isUrgent = false;
    if (events.some(({ type }) => SHOWN.has(type))) this.#shownAtMs = performance.now();
    const seqInLog = await this.#append(expectedSeq, events, covering?.checkpoint);
    this.#appendedSeq = expectedSeq + batch.length;
    assert.equal(
      seqInLog,
      this.#appendedSeq,
      'The log acknowledged another seq than the one that was appended.',
    );
  }

  #mustWait(): boolean {
    if (this.#isUrgent || this.#waiters > 0) return false;
    return performance.now() - this.#shownAtMs < this.#frames.frameMs;
  }

  #frameEnd(): Promise<void> {
    return new Promise((resolve) => {
      const leave = () => {
        this.#frames.forget(leave);
        this.#leave = null;
        resolve();
      };
      this.#leave = leave;
      this.#frames.callAtEnd(leave);
    });
  }
}

/**
 * A caller that does not wait learns of a failure by the flush. Unhandled, the rejection would end the process and
 * every other stream of this worker.
 */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined);
  return promise;
}

/** Fails the generation instead of writing a log with a gap, or a checkpoint whose text is not in the log. */
export function assertBatch(
  expectedSeq: number,
  batch: readonly PendingEvent[],
  covering: PendingEvent | undefined,
): void {
  const hasNoGap = batch.every(({ seq }, index) => seq === expectedSeq + index);
  assert(hasNoGap, `The batch does not continue the log, which is at seq ${expectedSeq}.`);
  assert(
    covering === undefined || covering.seq < expectedSeq + batch.length,
    'The checkpoint is ahead of the appended events.',
  );
}

function textChars(event: EventBody): number {
  if ('value' in event) return JSON.stringify(event.value).length;
  if (event.type === 'reasoning-seal') return event.sealed.length;
  if (event.type === 'text-delta') return event.text.length + logprobBytes(event);
  return 'text' in event ? event.text.length : 0;
}
