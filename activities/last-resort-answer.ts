/** The last resort after every candidate failed: the best stored answer of any age, marked as degraded. */
import type { ErrorCode } from '../contracts/errors.ts';
import type { EventBody } from '../contracts/events.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import type { GenerationOutcome } from '../contracts/steps.ts';
import { accountOpenAttempt } from './attempt/account-attempt.ts';
import { takeOver } from './attempt/take-over.ts';
import type { Dependencies } from './dependencies.ts';
import { dischargeMember, withShare } from './end-following.ts';
import { readRecord } from './generation-record.ts';
import { cacheHitOf, isWholeAnswer, questionOf, replayedText, savedByAnswer } from './look-up-cache.ts';

/**
 * Errors that say something about the request or the config: a stored answer would hide them, and the next request
 * would fail as well. After any of them the caller gets the error.
 */
const NO_OUTAGE: ReadonlySet<ErrorCode> = new Set([
  'provider_auth',
  'provider_bad_request',
  'provider_model_not_found',
  'provider_prefill_refused',
  'model_not_found',
  'unsupported_by_model',
  'context_length_exceeded',
  'content_filtered',
]);

/** Less than this step's time limit; without a stored answer, the close of the log waits longer. */
const WAIT_FOR_LEADER_MS = 2_000;

export function lastResortAnswer(dependencies: Dependencies) {
  const { cache, cacheSettings, log } = dependencies;
  /**
   * @param failures the error of each candidate; empty from runs that older code began.
   * @returns null if nothing stored answers this.
   */
  return async (
    order: GenerationOrder,
    failures: readonly ErrorCode[] = [],
  ): Promise<GenerationOutcome | null> => {
    if (failures.some((code) => NO_OUTAGE.has(code))) return null;
    const { generationId } = order;
    const [opened, input] = await Promise.all([takeOver(log, generationId), log.readInput(generationId)]);
    if (opened === null) return null;
    const { head, events } = opened;
    const known = readRecord(events);
    if (known.outcome !== null || input === null) return known.outcome;
    const question = questionOf(cacheSettings, order, input);
    const found = await cache.lookUpBest(question, cacheSettings(order.route).acceptedFalseHits);
    if (found.outcome !== 'hit') return null;
    const { text, provider, model, finishReason } = found.answer;
    if (!(await isWholeAnswer(dependencies, order, { ...input, text }))) return null;
    const hasDelivered = known.text !== '' || known.hasReasoning || known.hasToolCalls;
    const voided: EventBody[] = hasDelivered
      ? [{ type: 'text-reset', reason: 'Every candidate failed; an old stored answer stands in.' }]
      : [];
    const record = await withShare(dependencies, known, { generationId, withinMs: WAIT_FOR_LEADER_MS });
    const spent = await accountOpenAttempt(dependencies, record, input, head.checkpoint);
    await log.appendOnce(generationId, 'degraded-answer', [
      ...voided,
      { ...cacheHitOf(found.answer), degraded: true },
      ...replayedText(text),
      {
        type: 'generation-end',
        provider,
        model,
        finishReason,
        cached: true,
        degraded: true,
        attempts: record.attempts,
        ...spent,
        saved: savedByAnswer(dependencies, found.answer),
      },
    ]);
    dischargeMember(dependencies, record, generationId);
    return readRecord(await log.read(generationId, -1)).outcome;
  };
}
