/** What happens to a log after its end: it is packed, and archived where there is an archive. */
import type { LogListener } from './event-log.ts';
import type { LogPacker } from './log-packer.ts';

export interface EndedLogs {
  /**
   * Called when the log has ended; a repeated call changes nothing. Rejects if the archive is not sure to learn of it:
   * then the caller repeats it, or the log stays in Redis for its retention.
   */
  note(generationId: string): Promise<void>;
}

/** @param due null: there is no archive. */
export function createEndedLogs(
  packer: LogPacker,
  due: { add(generationId: string): Promise<void> } | null,
): EndedLogs {
  return {
    note: async (generationId) => {
      packer.enqueue(generationId);
      await due?.add(generationId);
    },
  };
}

/** Notes each end that this process writes, for a process that settles no generations. */
export function noteEnds(
  ended: EndedLogs,
  onMissed: (error: unknown) => void,
  other: LogListener,
): LogListener {
  return {
    appended: (append) => {
      other.appended(append);
      if (append.status !== null) ended.note(append.generationId).catch(onMissed);
    },
    retried: () => other.retried(),
    refused: (reason) => other.refused(reason),
  };
}
