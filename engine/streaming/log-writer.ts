/**
 * Writes one log in one epoch. One append is in flight at a time, and events that arrive meanwhile go with the next. So
 * the first token leaves at once, and a fast provider costs few round trips.
 */
import assert from 'node:assert/strict';
import type { EventBody } from '../../contracts/events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { logprobBytes } from '../../contracts/token-logprobs.ts';
import type { LogWriter } from './event-log.ts';
import { pause } from './pause.ts';

/**
 * Appends a batch at `expectedSeq`, atomically. Safe to repeat. Rejects when the log refuses for good.
 * @returns the seq that the log gives to its next event.
 */
export type AppendBatch = (
  expectedSeq: number,
  events: readonly EventBody[],
  checkpoint: unknown,
) => Promise<number>;

/**
 * The least time between two appends of text, in ms, while no caller waits for a flush. A reader does not see it; from
 * 100 tokens a second on it saves most of the work of Redis, relay and reader. The first text is never held back.
 */
const TEXT_PACE_MS = 8;

/** How much one append carries, and how much may wait for it. */
export type WriterLimits = Pick<
  { [Name in keyof typeof LIMITS]: number },
  'eventsPerAppend' | 'writerBufferBytes'
>;

interface WriterStart extends Pick<LogWriter, 'opener'> {
  readonly firstSeq: number;
  readonly append: AppendBatch;
  readonly limits?: WriterLimits | undefined;
}

/** An event with its number, and the source's position once that event is read: undefined if it did not move. */
export interface PendingEvent {
  readonly seq: number;
  readonly event: EventBody;
  readonly checkpoint: unknown;
}

export class BatchingLogWriter implements LogWriter {
  readonly opener: string;
  readonly #append: AppendBatch;
  readonly #limits: WriterLimits;
  #nextSeq: number;
  /** The seq after the last event that the log has acknowledged. */
  #appendedSeq: number;
  #pending: PendingEvent[] = [];
  #pendingChars = 0;
  #drain: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #textAppendedAtMs = 0;
  /** Callers that wait until everything is appended. */
  #waiters = 0;
  #pacing: AbortController | null = null;

  constructor({ firstSeq, opener, append, limits = LIMITS }: WriterStart) {
    this.opener = opener;
    this.#append = append;
    this.#limits = limits;
    this.#nextSeq = firstSeq;
    this.#appendedSeq = firstSeq;
  }

  get nextSeq(): number {
    return this.#nextSeq;
  }

  write(event: EventBody, checkpoint?: unknown): Promise<void> {
    const written = this.#write(event, checkpoint);
    // A caller that does not wait for room learns of a failure by the flush. Left unhandled here, the rejection would
    // end the process and every other stream of this worker.
    written.catch(() => undefined);
    return written;
  }

  async flush(): Promise<void> {
    while (this.#drain !== null) await this.#untilDrained(this.#drain);
    if (this.#failure !== null) throw this.#failure.error;
  }

  async #write(event: EventBody, checkpoint: unknown): Promise<void> {
    if (this.#failure !== null) throw this.#failure.error;
    this.#pending.push({ seq: this.#nextSeq, event, checkpoint });
    this.#nextSeq += 1;
    this.#pendingChars += textChars(event);
    this.#drain ??= this.#drainPending();
    // The next write or flush throws the failure.
    this.#drain.catch(() => undefined);
    if (this.#isFull()) await this.#untilDrained(this.#drain);
  }

  #isFull(): boolean {
    const { writerBufferBytes, eventsPerAppend } = this.#limits;
    return this.#pendingChars > writerBufferBytes || this.#pending.length > eventsPerAppend;
  }

  async #untilDrained(drain: Promise<void>): Promise<void> {
    this.#waiters += 1;
    this.#pacing?.abort();
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
    await this.#keepPace();
    const batch = this.#pending.splice(0, this.#limits.eventsPerAppend);
    const events = batch.map(({ event }) => event);
    const expectedSeq = this.#appendedSeq;
    for (const event of events) this.#pendingChars -= textChars(event);
    // The newest of this batch, never of a later one: a resumed stream would skip the events in between.
    const covering = batch.findLast(({ checkpoint }) => checkpoint !== undefined);
    assertBatch(expectedSeq, batch, covering);
    const seqInLog = await this.#append(expectedSeq, events, covering?.checkpoint);
    this.#appendedSeq = expectedSeq + batch.length;
    assert.equal(
      seqInLog,
      this.#appendedSeq,
      'The log acknowledged another seq than the one that was appended.',
    );
    if (events.some((event) => 'text' in event)) this.#textAppendedAtMs = performance.now();
  }

  async #keepPace(): Promise<void> {
    const pauseMs = this.#textAppendedAtMs + TEXT_PACE_MS - performance.now();
    if (pauseMs <= 0 || this.#waiters > 0) return;
    this.#pacing = new AbortController();
    await pause(pauseMs, this.#pacing.signal);
    this.#pacing = null;
  }
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
