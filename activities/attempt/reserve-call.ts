/**
 * Reserves for one call. Every call after the first pays again: its input and, if it continues an answer, that text. So
 * the reservation is extended before the call leaves, on top of what earlier attempts have used. A refused call is not
 * made: a fallback or a retry cannot overspend.
 */
import { budgetOwnerOf } from '../../contracts/budgets.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { promptVersionName } from '../../contracts/names.ts';
import type { StreamStep } from '../../contracts/steps.ts';
import {
  leastOutputTokens,
  moreImageTokens,
  worstContinuationTokens,
  worstInputTokens,
} from '../../contracts/tokens.ts';
import type { ReserveOutcome } from '../../engine/budget/ledger.ts';
import type { Dependencies } from '../dependencies.ts';
import type { GenerationRecord } from '../generation-record.ts';
import type { Resume } from './resume-plan.ts';
import { dearParts, worstPrice } from './worst-case.ts';

interface PlannedCall {
  readonly step: StreamStep;
  readonly input: GenerationInput;
  /** Its `charges` hold the attempts that have ended. */
  readonly record: Pick<
    GenerationRecord,
    'attempts' | 'charges' | 'besideAttempts' | 'capTokens' | 'continuedChars'
  >;
  readonly resume: Resume;
}

/**
 * The first call was reserved before the stream, and a reattached response is paid already. The cost of judges and
 * shares is booked with the end of the generation, so until then it occupies a part of the reservation.
 */
export async function reserveCall(
  dependencies: Pick<Dependencies, 'budget' | 'countTexts' | 'priceOf'>,
  { step, input, record, resume }: PlannedCall,
): Promise<ReserveOutcome> {
  const { budget, countTexts, priceOf } = dependencies;
  const { order, candidate, reservedTokens, remainingTokens, maxOutputTokens } = step;
  // A first call that continues the text of another generation pays for that text as well.
  const copiedChars = 'deliveredText' in resume ? resume.deliveredText.length - record.continuedChars : 0;
  const { besideAttempts } = record;
  const isFirst = record.attempts === 0 && copiedChars <= 0 && besideAttempts.tokens === 0;
  if (isFirst || resume.strategy === 'reattach') {
    const capTokens = Math.max(maxOutputTokens, record.capTokens);
    const reserved = { reservedTokens, reservedMicroUsd: step.reservedMicroUsd ?? 0, remainingTokens };
    const unlimited = step.isUnlimited === undefined ? {} : { isUnlimited: step.isUnlimited };
    return { granted: true, ...reserved, maxOutputTokens, capTokens, warnings: [], ...unlimited };
  }
  const deliveredText = 'deliveredText' in resume ? resume.deliveredText : '';
  const continued = deliveredText === '' ? 0 : await worstContinuationTokens(deliveredText, countTexts);
  const more = moreImageTokens(input.messages, [candidate.model]);
  const inputTokens = (await worstInputTokens(input, countTexts)) + more + continued;
  const [deliveredTokens = 0] = await countTexts([deliveredText.slice(record.continuedChars)]);
  const most = Math.max(maxOutputTokens, record.capTokens);
  const price = worstPrice(priceOf, [candidate], {
    inputTokens,
    maxOutputTokens: most,
    ...dearParts(input),
  });
  return budget.extend({
    generationId: order.generationId,
    ...budgetOwnerOf(order),
    charges: record.charges,
    prompt: promptVersionName(order.prompt),
    inputTokens: inputTokens + besideAttempts.tokens,
    // The text of an earlier generation is not output of this one.
    deliveredTokens,
    minOutputTokens: leastOutputTokens(maxOutputTokens),
    price: { ...price, fixedMicroUsd: price.fixedMicroUsd + besideAttempts.costMicroUsd },
  });
}
