/**
 * The writer of one log in one epoch. One append is under way at a time; what arrives meanwhile goes with the next.
 * So the first token leaves at once and a quick provider costs few round trips.
 */
import type { EventBody } from '../contracts/events.ts';
import { LIMITS } from '../contracts/limits.ts';
import type { LogWriter } from './event-log.ts';

/** Appends a batch at `expectedSeq`, atomically. Safe to repeat. Rejects when the log refuses for good. */
export type AppendBatch = (
  expectedSeq: number,
  events: readonly EventBody[],
  checkpoint: unknown,
) => Promise<void>;

export function createLogWriter(firstSeq: number, append: AppendBatch): LogWriter {
  let nextSeq = firstSeq;
  let pending: EventBody[] = [];
  let pendingChars = 0;
  let checkpoint: unknown;
  let drain: Promise<void> | null = null;
  let refusal: unknown = null;

  const drainPending = async (): Promise<void> => {
    while (pending.length > 0) {
      const batch = pending.splice(0, LIMITS.eventsPerAppend);
      const covers = pending.length === 0 ? checkpoint : undefined;
      if (pending.length === 0) {
        pendingChars = 0;
        checkpoint = undefined;
      }
      const expectedSeq = nextSeq - batch.length - pending.length;
      await append(expectedSeq, batch, covers);
    }
  };

  const startDraining = (): Promise<void> => {
    drain ??= drainPending()
      .catch((error: unknown) => {
        refusal = error;
        pending = [];
        throw error;
      })
      .finally(() => {
        drain = null;
      });
    return drain;
  };

  return {
    get nextSeq() {
      return nextSeq;
    },
    async write(event, eventCheckpoint) {
      if (refusal !== null) throw refusal;
      pending.push(event);
      nextSeq += 1;
      if ('text' in event) pendingChars += event.text.length;
      if (eventCheckpoint !== undefined) checkpoint = eventCheckpoint;
      const draining = startDraining();
      if (pendingChars > LIMITS.writerBufferBytes || pending.length > LIMITS.eventsPerAppend) await draining;
      // A refusal reaches the caller through `refusal` on the next write or flush.
      else draining.catch(() => undefined);
    },
    async flush() {
      while (drain !== null) await drain;
      if (refusal !== null) throw refusal;
    },
  };
}
