import type { GenerationOrder } from '../../contracts/generation.ts';

/**
 * By what a worker remembers work on a log. The id alone is not enough: after the retention of the log the same
 * Idempotency-Key gives it to another generation, which would be given the outcome of the one before, write nothing and
 * be billed for it.
 */
export function nameOfLog({ generationId, logCreatedAtMs }: GenerationOrder): string {
  return logCreatedAtMs === undefined ? generationId : `${generationId}@${logCreatedAtMs}`;
}
