/**
 * The writer of one log in one epoch. One append is under way at a time; what arrives meanwhile goes with the next.
 * So the first token leaves at once and a quick provider costs few round trips.
 */
import type { EventBody } from '../../contracts/events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { LogWriter } from './event-log.ts';
import { pause } from './pause.ts';

/** Appends a batch at `expectedSeq`, atomically. Safe to repeat. Rejects when the log refuses for good. */
export type AppendBatch = (
  expectedSeq: number,
  events: readonly EventBody[],
  checkpoint: unknown,
) => Promise<void>;

/**
 * The least time between two appends of text that nobody waits for, in ms. A reader does not see it; at 100 tokens a
 * second and more it saves most of the work of Redis, relay and reader. The first text is never held.
 */
const TEXT_PACE_MS = 8;

/** How much one append carries, and how much may wait for it. */
export type WriterLimits = Pick<
  { [Name in keyof typeof LIMITS]: number },
  'eventsPerAppend' | 'writerBufferBytes'
>;

export interface WriterStart extends Pick<LogWriter, 'opener'> {
  readonly firstSeq: number;
}

/** An event and, beside it, where the source stands once it is read: what a batch leaves out keeps its own checkpoint. */
interface Pending {
  readonly event: EventBody;
  readonly checkpoint: unknown;
}

export function createLogWriter(
  { firstSeq, opener }: WriterStart,
  append: AppendBatch,
  limits: WriterLimits = LIMITS,
): LogWriter {
  let nextSeq = firstSeq;
  let pending: Pending[] = [];
  let pendingChars = 0;
  let drain: Promise<void> | null = null;
  let refusal: unknown = null;
  let textAppendedAt = 0;
  /** Those who wait for all to be appended. */
  let waiting = 0;
  let pacing: AbortController | null = null;

  const isFull = () => pendingChars > limits.writerBufferBytes || pending.length > limits.eventsPerAppend;
  const keepPace = async (): Promise<void> => {
    const pauseMs = textAppendedAt + TEXT_PACE_MS - performance.now();
    if (pauseMs <= 0 || waiting > 0) return;
    pacing = new AbortController();
    await pause(pauseMs, pacing.signal);
    pacing = null;
  };
  const untilDrained = async (draining: Promise<void>): Promise<void> => {
    waiting += 1;
    pacing?.abort();
    await draining.finally(() => {
      waiting -= 1;
    });
  };

  const appendNext = async (): Promise<void> => {
    await keepPace();
    const batch = pending.splice(0, limits.eventsPerAppend);
    const events = batch.map(({ event }) => event);
    pendingChars -= charsOf(events);
    // The newest of this batch, never of a later one: a log ahead of its checkpoint would get its last events twice.
    const covers = batch.findLast(({ checkpoint }) => checkpoint !== undefined)?.checkpoint;
    const expectedSeq = nextSeq - batch.length - pending.length;
    await append(expectedSeq, events, covers);
    if (events.some((event) => 'text' in event)) textAppendedAt = performance.now();
  };

  const drainPending = async (): Promise<void> => {
    try {
      while (pending.length > 0) await appendNext();
    } catch (error) {
      refusal = error;
      pending = [];
      throw error;
    } finally {
      // In the same turn in which nothing was left: what is written later must find that nobody drains.
      drain = null;
    }
  };

  const write: LogWriter['write'] = async (event, checkpoint) => {
    if (refusal !== null) throw refusal;
    pending.push({ event, checkpoint });
    nextSeq += 1;
    pendingChars += charsOf([event]);
    drain ??= drainPending();
    // A refusal reaches the caller through `refusal` on the next write or flush.
    drain.catch(() => undefined);
    if (isFull()) await untilDrained(drain);
  };

  return {
    opener,
    get nextSeq() {
      return nextSeq;
    },
    write(event, checkpoint) {
      const written = write(event, checkpoint);
      // Who does not wait for room hears of a refusal by the flush. Unheard here it would end the process, and with it
      // all the other streams of this worker.
      written.catch(() => undefined);
      return written;
    },
    async flush() {
      while (drain !== null) await untilDrained(drain);
      if (refusal !== null) throw refusal;
    },
  };
}

function charsOf(events: readonly EventBody[]): number {
  return events.reduce((sum, event) => sum + ('text' in event ? event.text.length : 0), 0);
}
