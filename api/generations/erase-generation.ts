/**
 * Deletes what a generation was asked and has answered: in its log, and where its answer was stored for others. One that
 * still runs, because a stop at its provider takes long or its worker is dead, is hidden from now on and erased by the
 * append that ends it.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { ApiDependencies } from '../dependencies.ts';

export async function eraseGeneration(
  { log, cachedAnswers }: Pick<ApiDependencies, 'log' | 'cachedAnswers'>,
  { tenant, generationId, stored }: Pick<LogHead, 'tenant' | 'generationId' | 'stored'>,
): Promise<void> {
  const forOthers = () => deleteForOthers(cachedAnswers, { tenant, generationId });
  // First, where it is known already: after a failure the caller can ask again.
  if (stored) await forOthers();
  const { isStored } = await log.erase(generationId);
  if (isStored && !stored) await forOthers();
}

async function deleteForOthers(
  cachedAnswers: ApiDependencies['cachedAnswers'],
  entries: { readonly tenant: string; readonly generationId: string },
): Promise<void> {
  try {
    await cachedAnswers.delete(entries);
  } catch (error) {
    const message = 'Qdrant does not answer; nothing is sure to be deleted.';
    throw new UnbrokenError('service_unavailable', message, { cause: error });
  }
}
