/** Steps that end a log which no attempt could end. */
import type { EventLog, OpenedLog } from '../../engine/streaming/event-log.ts';

/**
 * Silences every attempt and reads what they have written. Without it an attempt that is still at work could append
 * between the read and the end, and nobody would account for that.
 * @returns null where there is no such log.
 */
export async function takeOver(
  log: Pick<EventLog, 'open'>,
  generationId: string,
): Promise<Pick<OpenedLog, 'head' | 'events'> | null> {
  return log.open(generationId, 'newest').catch((error: unknown) => {
    if (error instanceof Error && 'reason' in error && error.reason === 'missing') return null;
    throw error;
  });
}
