/**
 * Deletes what a generation was asked and has answered: in its log, and where its answer was stored for others. One that
 * still runs, because a stop at its provider takes long or its worker is dead, is hidden from now on and erased by the
 * append that ends it.
 */
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { deleteStoredAnswers } from './delete-stored-answers.ts';

/**
 * The log is erased last. It hides the generation, and a caller who lost the response and asks again gets `not_found`,
 * so by then nothing else may be left to do. First of all storing is forbidden, so that nothing is stored behind the
 * deletion.
 */
export async function eraseGeneration(
  { log, cachedAnswers }: Pick<ApiDependencies, 'log' | 'cachedAnswers'>,
  { tenant, generationId }: Pick<LogHead, 'tenant' | 'generationId'>,
): Promise<void> {
  const { mayBeStored } = await log.withhold(generationId);
  if (mayBeStored) await deleteStoredAnswers(cachedAnswers, { tenant, generationId });
  await log.erase(generationId);
}
