/**
 * Deletes the input and the answer of a generation: in its log, and in the answer cache. One that still runs (stopping
 * at its provider takes long, or its worker is dead) is hidden at once and erased by the append that ends it.
 */
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { deleteStoredAnswers } from './delete-stored-answers.ts';
import { compactionIdOf } from './generation-id.ts';

/**
 * @returns how many stored answers were deleted.
 *
 * The order matters. First, storing is forbidden, so that no worker caches the answer after the deletion. The log comes
 * last: erasing it hides the generation, so a caller that repeats a lost request gets `not_found`, and by then no other
 * copy may be left.
 */
export async function eraseGeneration(
  { log, cachedAnswers }: Pick<ApiDependencies, 'log' | 'cachedAnswers'>,
  { tenant, generationId }: Pick<LogHead, 'tenant' | 'generationId'>,
): Promise<{ readonly cachedAnswers: number }> {
  const { mayBeStored } = await log.withhold(generationId);
  // The summary of its older turns, if one was written.
  await log.erase(compactionIdOf(generationId));
  const stored = mayBeStored ? await deleteStoredAnswers(cachedAnswers, { tenant, generationId }) : 0;
  await log.erase(generationId);
  return { cachedAnswers: stored };
}
