/**
 * Every call after the first pays again: its input, and where it continues an answer, that text too. So before it
 * leaves, the reservation is made large enough for it beside what the attempts before it have used. What is refused
 * here is not called: a fallback or a retry cannot overspend.
 */
import { ApplicationFailure } from '@temporalio/common';
import type { GenerationInput } from '../../contracts/generation.ts';
import type { Usage } from '../../contracts/money.ts';
import type { StreamStep } from '../../contracts/steps.ts';
import { leastOutputTokens, worstContinuationTokens, worstInputTokens } from '../../contracts/tokens.ts';
import type { ReserveOutcome } from '../../engine/budget/ledger.ts';
import type { Dependencies } from '../dependencies.ts';
import { chargeOf, type GenerationRecord, readRecord } from '../generation-record.ts';
import type { Attempt } from './attempt.ts';
import { capabilitiesFor, planResume, type Resume } from './resume-plan.ts';
import { worstPrice } from './worst-case.ts';

export interface PlannedCall {
  readonly step: StreamStep;
  readonly input: GenerationInput;
  /** With the attempts that have ended in its `charges`. */
  readonly record: Pick<
    GenerationRecord,
    'attempts' | 'charges' | 'besideAttempts' | 'capTokens' | 'continuedChars'
  >;
  readonly resume: Resume;
}

/**
 * Room for one call. The first was reserved by the workflow, and a response that is resumed is paid already. What
 * judges and shares have cost is booked with the end, so until then it takes a part of the reservation.
 */
export async function reserveCall(
  dependencies: Pick<Dependencies, 'budget' | 'countTexts' | 'priceOf'>,
  { step, input, record, resume }: PlannedCall,
): Promise<ReserveOutcome> {
  const { budget, countTexts, priceOf } = dependencies;
  const { order, candidate, reservedTokens, remainingTokens, maxOutputTokens } = step;
  // A first call that continues what another generation has delivered pays for that text as well.
  const copiedChars = 'deliveredText' in resume ? resume.deliveredText.length - record.continuedChars : 0;
  const { besideAttempts } = record;
  const isFirst = record.attempts === 0 && copiedChars <= 0 && besideAttempts.tokens === 0;
  if (isFirst || resume.strategy === 'reattach') {
    const capTokens = Math.max(maxOutputTokens, record.capTokens);
    const reserved = { reservedTokens, reservedMicroUsd: step.reservedMicroUsd ?? 0, remainingTokens };
    return { granted: true, ...reserved, maxOutputTokens, capTokens, warnings: [] };
  }
  const { generationId, tenant, user, team, keyId } = order;
  const deliveredText = 'deliveredText' in resume ? resume.deliveredText : '';
  const continued = deliveredText === '' ? 0 : await worstContinuationTokens(deliveredText, countTexts);
  const inputTokens = (await worstInputTokens(input, countTexts)) + continued;
  const [deliveredTokens = 0] = await countTexts([deliveredText.slice(record.continuedChars)]);
  const most = Math.max(maxOutputTokens, record.capTokens);
  const price = worstPrice(priceOf, [candidate], inputTokens, most);
  return budget.extend({
    generationId,
    tenant,
    user,
    team,
    keyId,
    charges: record.charges,
    inputTokens: inputTokens + besideAttempts.tokens,
    // What an earlier generation wrote is no part of this one's output.
    deliveredTokens,
    minOutputTokens: leastOutputTokens(maxOutputTokens),
    price: { ...price, fixedMicroUsd: price.fixedMicroUsd + besideAttempts.costMicroUsd },
  });
}

/**
 * An answer has reached its output cap. Where the cap was raised meanwhile, the attempt ends here: it goes on record, and
 * the next one continues the text. Returns where the answer is at its end.
 */
export async function goOnWhereRaised(
  dependencies: Dependencies,
  { step, provider, pass, input, writer, number, capTokens }: Attempt,
  usage: Usage,
): Promise<void> {
  const { order, candidate } = step;
  const { generationId, tenant, user, team, keyId } = order;
  // Raising to nothing raises nothing: it tells the cap.
  const raise = { generationId, tenant, user, team, keyId, maxOutputTokens: 0 };
  const now = await dependencies.budget.raise(raise);
  if (!now.granted || now.capTokens <= capTokens) return;
  await writer.flush();
  const record = readRecord(await dependencies.log.read(generationId, -1));
  const costMicroUsd = dependencies.priceOf(candidate.provider, candidate.model, usage);
  const ended = { ...candidate, attempt: number, usage, costMicroUsd };
  const charges = [...record.charges, chargeOf(ended)];
  const known = { ...record, openAttempt: null, charges };
  const can = capabilitiesFor(provider.capabilities(candidate.model), input);
  const resume = planResume(candidate, can, { ...known, capTokens: now.capTokens }, null);
  // To void a good answer for a longer one is not what was asked for.
  if (resume.strategy !== 'prefill' && resume.strategy !== 'instruct') return;
  const [delivered = 0] = await dependencies.countTexts([resume.deliveredText.slice(known.continuedChars)]);
  const left = now.capTokens - delivered;
  if (left < leastOutputTokens(now.capTokens)) return;
  const rest = await reserveCall(dependencies, { step, input, record: known, resume });
  if (!rest.granted) return;
  void writer.write({ type: 'cap-raise', ...ended, maxOutputTokens: rest.capTokens });
  void pass.leave('answered', usage);
  await writer.flush();
  throw ApplicationFailure.create({
    message: 'The output cap was raised; the next attempt goes on.',
    type: 'attempt_interrupted',
    nextRetryDelay: 10,
  });
}
