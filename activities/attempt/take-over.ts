/** Takes a log over for a step that ends it without an attempt: a close, or an old stored answer. */
import type { EventLog, OpenedLog } from '../../engine/streaming/event-log.ts';
import { logRefusal } from '../failures.ts';

/**
 * Fences off every attempt and reads what they have written. Without the fence, a running attempt could append between
 * the read and the end, and that part would never be accounted.
 * @returns null if there is no such log.
 */
export async function takeOver(
  log: Pick<EventLog, 'open'>,
  generationId: string,
): Promise<Pick<OpenedLog, 'head' | 'events'> | null> {
  return log.open(generationId, 'newest').catch((error: unknown) => {
    if (logRefusal(error) === 'missing') return null;
    throw error;
  });
}
