/**
 * Every call after the first pays again: its input, and where it continues an answer, that text too. So before it
 * leaves, the reservation is made large enough for it beside what the attempts before it have used. What is refused
 * here is not called: a fallback or a retry cannot overspend.
 */
import type { Granted, ReserveOutcome } from '../budget/ledger.ts';
import type { GenerationInput } from '../contracts/generation.ts';
import type { StreamStep } from '../contracts/steps.ts';
import { leastOutputTokens, worstContinuationTokens, worstInputTokens } from '../contracts/tokens.ts';
import type { Dependencies } from './dependencies.ts';
import type { GenerationRecord } from './generation-record.ts';
import type { Resume } from './resume-plan.ts';
import { worstPrice } from './worst-case.ts';

export interface PlannedCall {
  readonly step: StreamStep;
  readonly input: GenerationInput;
  /** With the attempts that have ended in its `charges`. */
  readonly record: Pick<GenerationRecord, 'attempts' | 'charges' | 'capTokens'>;
  readonly resume: Resume;
}

/** Room for one call. The first was reserved by the workflow, and a response that is taken up again is paid already. */
export async function reserveCall(
  dependencies: Dependencies,
  { step, input, record, resume }: PlannedCall,
): Promise<ReserveOutcome> {
  const { budget, countTokens, priceOf } = dependencies;
  const { order, candidate, reservedTokens, remainingTokens, maxOutputTokens } = step;
  if (record.attempts === 0 || resume.strategy === 'reattach') {
    const capTokens = Math.max(maxOutputTokens, record.capTokens);
    const reserved = { reservedTokens, reservedMicroUsd: step.reservedMicroUsd ?? 0, remainingTokens };
    return { granted: true, ...reserved, maxOutputTokens, capTokens, warnings: [] };
  }
  const { generationId, tenant, user, team, keyId } = order;
  const deliveredText = 'deliveredText' in resume ? resume.deliveredText : '';
  const continued = deliveredText === '' ? 0 : worstContinuationTokens(deliveredText, countTokens);
  const inputTokens = worstInputTokens(input, countTokens) + continued;
  return budget.extend({
    ...{ generationId, tenant, user, team, keyId, inputTokens, charges: record.charges },
    deliveredTokens: deliveredText === '' ? 0 : countTokens(deliveredText),
    minOutputTokens: leastOutputTokens(maxOutputTokens),
    price: worstPrice(priceOf, [candidate], inputTokens, Math.max(maxOutputTokens, record.capTokens)),
  });
}

/**
 * An answer has reached its cap. Whether the cap was raised meanwhile, and there is room for the call that goes on;
 * null where the answer ends here.
 */
export async function reserveRest(
  dependencies: Dependencies,
  call: PlannedCall,
  capTokens: number,
): Promise<Granted | null> {
  const { resume, step } = call;
  if (resume.strategy !== 'prefill' && resume.strategy !== 'instruct') return null;
  const { generationId, tenant, user, team, keyId } = step.order;
  // Raising to nothing raises nothing: it tells the cap.
  const now = await dependencies.budget.raise({
    generationId,
    tenant,
    user,
    team,
    keyId,
    maxOutputTokens: 0,
  });
  if (!now.granted || now.capTokens <= capTokens) return null;
  const left = now.capTokens - dependencies.countTokens(resume.deliveredText);
  if (left < leastOutputTokens(now.capTokens)) return null;
  const outcome = await reserveCall(dependencies, call);
  return outcome.granted ? outcome : null;
}
