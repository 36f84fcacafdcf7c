/**
 * Negative feedback on an answer from the cache. An answer that was stored for another question is quarantined for this
 * one. An answer to the same words is deleted: it is wrong for its own question. Every step can be repeated.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import type { FeedbackView } from '../../contracts/prompts.ts';
import { userTexts } from '../../engine/cache/cache-key.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { deleteStoredAnswers, orCacheUnavailable } from './delete-stored-answers.ts';

type Dependencies = Pick<ApiDependencies, 'log' | 'complaints' | 'cachedAnswers' | 'storedEntries'>;
type Found = Extract<GenerationEvent, { type: 'cache-hit' | 'cache-join' }>;

/** Of a question that is shown beside a complaint. */
const SHOWN_CHARS = 300;

/** @returns what was done; undefined if the answer is not from the cache. @throws service_unavailable */
export async function complain(dependencies: Dependencies, head: LogHead): Promise<FeedbackView['cache']> {
  const { generationId } = head;
  const found = foundIn(await dependencies.log.readMerged(generationId));
  if (found === null) return undefined;
  if (hasSameWords(found)) {
    await deleteAnswer(dependencies, head, found);
    return 'deleted';
  }
  const { entryId } = found;
  // A hit or a join that older code recorded does not say of which entry it was.
  if (entryId === undefined) return undefined;
  await quarantine(dependencies, head, { ...found, entryId });
  return 'quarantined';
}

/** A join counts only while it lasts: after a `cache-leave`, the answer is the generation's own. */
function foundIn(events: readonly GenerationEvent[]): Found | null {
  const last = events.findLast(
    ({ type }) => type === 'cache-hit' || type === 'cache-join' || type === 'cache-leave',
  );
  return last?.type === 'cache-hit' || last?.type === 'cache-join' ? last : null;
}

/** Without `matchedBy`, the event is of older code, whose similarity is 1 only for the same words. */
function hasSameWords(found: Found): boolean {
  if (found.matchedBy !== undefined) return found.matchedBy === 'same-words';
  return found.similarity === 1;
}

/** Only the one that this generation got: a retry of the request must not delete the next answer to this question. */
async function deleteAnswer({ cachedAnswers }: Dependencies, head: LogHead, found: Found): Promise<void> {
  const { tenant } = head;
  if (found.type === 'cache-join') {
    await deleteStoredAnswers(cachedAnswers, { tenant, generationId: found.leader });
  } else if (found.entryId !== undefined) {
    const { entryId, at: storedUntilMs } = found;
    await deleteStoredAnswers(cachedAnswers, { tenant, entryId, storedUntilMs });
  }
}

async function quarantine(
  { log, complaints, storedEntries }: Dependencies,
  { tenant, user, generationId }: LogHead,
  { entryId, questionId, similarity }: Found & { readonly entryId: string },
): Promise<void> {
  const [input, entry] = await Promise.all([
    log.readInput(generationId),
    orCacheUnavailable(storedEntries.read({ tenant, user: undefined }, entryId)),
  ]);
  await complaints.add(tenant, {
    generationId,
    entryId,
    user,
    owner: entry?.user ?? null,
    questionId: questionId ?? null,
    questions: input === null ? null : userTexts({ input }),
    storedQuestion: entry?.questions.at(-1)?.slice(0, SHOWN_CHARS).toWellFormed() ?? null,
    similarity,
  });
}
