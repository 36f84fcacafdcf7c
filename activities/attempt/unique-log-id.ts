/** An id of a generation that no later one has: for what is remembered for longer than its log is kept. */
import type { GenerationOrder } from '../../contracts/generation.ts';

/**
 * After the retention of the log, the same Idempotency-Key gives the generation's id to another generation. A worker
 * that remembered its work by the id alone would give that one the earlier outcome, write nothing and bill it.
 */
export function uniqueLogId({ generationId, logCreatedAtMs }: GenerationOrder): string {
  return logCreatedAtMs === undefined ? generationId : `${generationId}@${logCreatedAtMs}`;
}
