import type { GenerationOrder } from '../../contracts/generation.ts';

/**
 * The key under which a worker remembers its work on a log. The id alone is not enough: after the retention of the log,
 * the same Idempotency-Key gives its id to another generation, which would get the earlier outcome, write nothing and
 * be billed for it.
 */
export function nameOfLog({ generationId, logCreatedAtMs }: GenerationOrder): string {
  return logCreatedAtMs === undefined ? generationId : `${generationId}@${logCreatedAtMs}`;
}
