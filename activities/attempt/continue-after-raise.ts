/** An answer that has reached its output cap continues if the cap of its generation was raised meanwhile. */
import type { Usage } from '../../contracts/money.ts';
import { leastOutputTokens } from '../../contracts/tokens.ts';
import { capRaised } from '../failures.ts';
import { chargeOf, type GenerationRecord, readRecord } from '../generation-record.ts';
import type { Attempt } from './attempt.ts';
import { reserveCall } from './reserve-call.ts';
import { capabilitiesFor, planResume, type Resume } from './resume-plan.ts';

type ContinuingResume = Extract<Resume, { strategy: 'prefill' | 'instruct' }>;

/**
 * If the cap was raised, this attempt is recorded as ended and `capRaised` is thrown, so that the next attempt
 * continues the text. Returns if the answer ends here.
 */
export async function continueIfCapRaised(attempt: Attempt, usage: Usage): Promise<void> {
  const { dependencies, facts } = attempt;
  const { step, input, writer, number, capTokens, pass } = facts;
  const { order, candidate } = step;
  const raisedTokens = await dependencies.budget.currentCap(order.tenant, order.generationId);
  if (raisedTokens === null || raisedTokens <= capTokens) return;
  await writer.flush();
  const ended = { ...candidate, attempt: number, usage, costMicroUsd: attempt.costOf(usage) };
  const record = await recordAfter(attempt, ended);
  const resume = planContinuation(attempt, { ...record, capTokens: raisedTokens });
  if (resume === null) return;
  const ownText = resume.deliveredText.slice(record.continuedChars);
  const [deliveredTokens = 0] = await dependencies.countTexts([ownText]);
  const leftTokens = raisedTokens - deliveredTokens;
  if (leftTokens < leastOutputTokens(raisedTokens)) return;
  const reserved = await reserveCall(dependencies, { step, input, record, resume });
  if (!reserved.granted) return;
  void writer.write({ type: 'cap-raise', ...ended, maxOutputTokens: reserved.capTokens });
  void pass.leave('answered', usage);
  await writer.flush();
  throw capRaised();
}

/** The generation as the log will have it once this attempt has ended. */
async function recordAfter(
  { dependencies, facts }: Attempt,
  ended: Parameters<typeof chargeOf>[0],
): Promise<GenerationRecord> {
  const record = readRecord(await dependencies.log.read(facts.step.order.generationId, -1));
  return { ...record, openAttempt: null, charges: [...record.charges, chargeOf(ended)] };
}

/** @returns null if the model cannot continue its text: a good answer is not voided for a longer one. */
function planContinuation({ facts }: Attempt, record: GenerationRecord): ContinuingResume | null {
  const { step, provider, input } = facts;
  const can = capabilitiesFor(provider.capabilities(step.candidate.model), input);
  const resume = planResume(step.candidate, can, record, null);
  return resume.strategy === 'prefill' || resume.strategy === 'instruct' ? resume : null;
}
