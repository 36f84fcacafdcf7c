/** Deletes answers from the answer cache. An outage of Qdrant is a 503: the caller can repeat the request. */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { AnswerDeletion, DeletedEntries } from '../../engine/cache/answer-cache.ts';

/** @returns how many were deleted. @throws service_unavailable */
export async function deleteStoredAnswers(
  cachedAnswers: AnswerDeletion,
  entries: DeletedEntries,
): Promise<number> {
  try {
    return await cachedAnswers.delete(entries);
  } catch (error) {
    const message = 'Qdrant does not answer; the deletion may be incomplete.';
    throw new UnbrokenError('service_unavailable', message, { cause: error });
  }
}
