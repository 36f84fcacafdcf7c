/** Subtracts the input of a generation from its tenant's stored bytes when the generation ends, in any process. */
import type { LogListener } from './event-log.ts';
import type { StoredBytes } from './stored-bytes.ts';

/** A missed input stops counting when its log expires, so a failure is logged and not retried. */
export function listenToEnds(
  stored: Pick<StoredBytes, 'ended'>,
  onMissed: (error: unknown) => void,
  other?: LogListener,
): LogListener {
  return {
    appended: (append) => {
      other?.appended(append);
      if (append.status !== null) stored.ended(append.generationId, append.last).catch(onMissed);
    },
    retried: () => other?.retried(),
    refused: (reason) => other?.refused(reason),
  };
}
