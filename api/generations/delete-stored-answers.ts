/** Deletes answers from the answer cache. An outage of Qdrant is a 503: the caller can repeat the request. */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { AnswerDeletion, DeletedEntries } from '../../engine/cache/answer-cache.ts';

/** @returns how many were deleted. @throws service_unavailable */
export async function deleteStoredAnswers(
  cachedAnswers: AnswerDeletion,
  entries: DeletedEntries,
): Promise<number> {
  return orCacheUnavailable(
    cachedAnswers.delete(entries),
    'Qdrant does not answer, or not within qdrant.deleteMs. The deletion may be incomplete: send it again.',
  );
}

/** @throws service_unavailable for everything that is not an error of ours. */
export async function orCacheUnavailable<Value>(
  work: Promise<Value>,
  message = 'Qdrant, which has the stored answers, does not answer.',
): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof UnbrokenError) throw error;
    throw new UnbrokenError('service_unavailable', message, { cause: error });
  }
}
