/**
 * The story of one generation: it begins (cache, budget, the first candidate's stream) in one local activity, which is
 * all that a short answer needs. A longer one is adopted by an activity that heartbeats; a candidate that fails gives
 * way to the next; then settle and store. Text lies in the log; here are only ids, usage and money.
 */
import { CancellationScope, proxyLocalActivities, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import type { GenerationOutcome, RefusedReservation } from '../contracts/steps.ts';
import { BEGIN, MAY_FAIL, MUST_HAPPEN } from './activity-options.ts';
import { close, tryCandidates } from './candidate-chain.ts';
import { describeOrder, showOutcome } from './describe-run.ts';
import { failureOf, readFailure } from './provider-fallback.ts';

const { beginGeneration } = proxyLocalActivities<Activities>(BEGIN);
const { storeAnswer } = proxyLocalActivities<Activities>(MAY_FAIL);
const { settleBudget } = proxyLocalActivities<Activities>(MUST_HAPPEN);

export async function generation(order: GenerationOrder): Promise<GenerationOutcome> {
  const { outcome, isSettled } = await answer(order);
  // Money is booked also when the generation was cancelled.
  if (!isSettled) await CancellationScope.nonCancellable(() => settleAndStore(order, outcome));
  showOutcome(order, outcome);
  return outcome;
}

async function answer(order: GenerationOrder): Promise<{ outcome: GenerationOutcome; isSettled: boolean }> {
  try {
    const [first] = order.candidates;
    const doing =
      first === undefined ? 'No candidate' : `Streaming from **${first.provider}/${first.model}**`;
    setCurrentDetails(describeOrder(order, doing, []));
    const begun = await beginGeneration({ order, epochMs: Date.now() });
    if (begun.next === 'ended') return { outcome: begun.outcome, isSettled: true };
    if (begun.next === 'refuse') return unsettled(await refuse(order, begun.refusal));
    if (begun.next === 'fall-back') {
      return unsettled(await tryCandidates(order, begun.reservation, failureOf(begun.failure)));
    }
    if (begun.waitMs > 0) await sleep(begun.waitMs);
    return unsettled(await tryCandidates(order, begun.reservation, null));
  } catch (error) {
    const failure = readFailure(error);
    return unsettled(
      await close(order, failure.cancelled ? 'cancelled' : 'failed', failure.code, failure.message),
    );
  }
}

function unsettled(outcome: GenerationOutcome) {
  return { outcome, isSettled: false };
}

async function settleAndStore(order: GenerationOrder, outcome: GenerationOutcome): Promise<void> {
  await settleBudget({ order, outcome });
  if (order.cache === 'on' && outcome.status === 'completed' && !outcome.cached) {
    await storeAnswer({ order, outcome }).catch(() => setCurrentDetails('The answer was not stored.'));
  }
}

function refuse(order: GenerationOrder, refusal: RefusedReservation): Promise<GenerationOutcome> {
  const { limitTokens, remainingTokens, resetsAtMs } = refusal;
  const resets = new Date(resetsAtMs).toISOString();
  const message = `The daily budget of ${limitTokens} tokens has ${remainingTokens} left; it resets at ${resets}.`;
  return close(order, 'failed', 'budget_exceeded', message);
}
