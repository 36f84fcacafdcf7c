/**
 * Checks that a reader can continue after its cursor: the cursor must lie within the log, and the event at it must
 * still be the one that the reader has.
 */
import type { Request } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { LogHead, LogReader } from '../../engine/streaming/event-log.ts';

export interface Cursor {
  /** The last seq that the reader has; -1 for none. */
  readonly after: number;
  /** `at` of that event, when the reader sends it. */
  readonly at?: number | undefined;
}

/** Throws `cursor_invalid` or `log_tail_lost`. */
export async function checkCursor(log: LogReader, head: LogHead, { after, at }: Cursor): Promise<void> {
  if (after >= head.nextSeq) {
    throw new UnbrokenError('cursor_invalid', `The log ends at ${head.nextSeq - 1}; the cursor is ${after}.`);
  }
  if (after < 0) return;
  if (head.torn !== null && after >= head.torn.from && after <= head.torn.until) {
    throw tailLost(head.torn.from - 1);
  }
  if (at === undefined) return;
  const [event] = await log.read(head.generationId, after - 1, 1);
  if (event?.seq !== after || event.at !== at) throw tailLost(null);
}

/** Whether a reader with this cursor has the end of the log. */
export function hasWholeLog(
  { status, nextSeq }: Pick<LogHead, 'status' | 'nextSeq'>,
  after: number,
): boolean {
  return status !== 'running' && after === nextSeq - 1;
}

/**
 * What an `EventSource` sends when it returns. Polyfills, which can send a key where a browser cannot, put it into the
 * URL: not every server lets pages of another origin send the header.
 */
export function lastEventIdOf(request: Pick<Request, 'get' | 'query'>): unknown {
  return request.get('last-event-id') ?? request.query['lastEventId'];
}

/**
 * Whether an `EventSource` has returned to a log whose end it has. It would return for as long as its page is open; a
 * 204 tells it to stop.
 */
export function isReadToEnd(
  request: Pick<Request, 'get' | 'query'>,
  head: Pick<LogHead, 'status' | 'nextSeq'>,
  after: number,
): boolean {
  return lastEventIdOf(request) !== undefined && hasWholeLog(head, after);
}

/** @returns why a log will never have more for its readers; null when they may wait for its end. */
export function goneError(generationId: string, head: LogHead | null): UnbrokenError | null {
  if (head === null) {
    return new UnbrokenError('cursor_expired', `The log of ${generationId} is past its retention.`);
  }
  if (!head.erased || head.status === 'running') return null;
  return new UnbrokenError('not_found', `${generationId} was deleted while you read it.`);
}

/** @param lastGood seq of the last event that is unchanged; null when unknown. */
export function tailLost(lastGood: number | null): UnbrokenError {
  const where = lastGood === null ? 'of it' : `after event ${lastGood}`;
  return new UnbrokenError(
    'log_tail_lost',
    `Redis lost the end of this log; what you have ${where} may differ from what it holds now.`,
  );
}
