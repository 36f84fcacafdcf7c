/** Takes the inputs of generations off the count of their tenant when they end, whichever process ends them. */
import type { LogListener } from './event-log.ts';
import type { StoredBytes } from './stored-bytes.ts';

/** What is missed counts until the log itself would be gone, so a failure is logged and not retried. */
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
    repeated: () => other?.repeated(),
    refused: (reason) => other?.refused(reason),
  };
}
