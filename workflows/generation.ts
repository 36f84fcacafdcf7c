/**
 * One generation. A local activity begins it: cache, budget, the first candidate's stream. A short answer needs no
 * more. A longer stream is adopted by an activity that heartbeats; after a candidate has failed, the next one is tried.
 * At the end the budget is settled and the answer stored. Text is in the log; the workflow has only ids, usage and
 * money.
 */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  defineSignal,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  TemporalFailure,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { describeRefusal } from '../contracts/budget-refusal.ts';
import type { BudgetWarning } from '../contracts/budgets.ts';
import { cacheUseOf } from '../contracts/cache-mode.ts';
import { candidateName } from '../contracts/candidate.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import { NO_USAGE } from '../contracts/money.ts';
import { SIGNALS } from '../contracts/names.ts';
import type { GenerationOutcome, RefusedReservation } from '../contracts/steps.ts';
import type { WebhookDelivery } from '../contracts/webhooks.ts';
import { BEGIN, MAY_FAIL, MUST_HAPPEN } from './activity-options.ts';
import { sendWarnings } from './budget-warning.ts';
import { CandidateChain } from './candidate-chain.ts';
import { closeRun, isCancelRequested } from './close-run.ts';
import { compactFirst } from './compact-first.ts';
import { describeOrder, showOutcome } from './describe-run.ts';
import { failureOf, readFailure } from './provider-fallback.ts';
import { sendDeliveries } from './webhook-delivery.ts';

const { beginGeneration } = proxyLocalActivities<Activities>(BEGIN);
const { storeAnswer } = proxyLocalActivities<Activities>(MAY_FAIL);
const { settleBudget, raiseOutputCap } = proxyLocalActivities<Activities>(MUST_HAPPEN);

export { batch } from './batch.ts';
export { batchShard } from './batch-shard.ts';
export { budgetWarning } from './budget-warning.ts';
export { erasure } from './erasure.ts';
export { job } from './job.ts';
export { scheduledRun } from './scheduled-run.ts';
export { webhookDelivery } from './webhook-delivery.ts';

/** Raises the output cap of the whole answer; a running answer continues beyond the old cap. */
const raiseCap = defineSignal<[{ readonly maxOutputTokens: number }]>(SIGNALS.raiseCap);
/** Ends the generation like a cancellation: the partial answer is billed. */
const stop = defineSignal(SIGNALS.stop);

interface Answered {
  /** Extended by what became known when the generation began. */
  readonly order: GenerationOrder;
  readonly outcome: GenerationOutcome;
  /** null: the budget is not settled yet. */
  readonly warnings: readonly BudgetWarning[] | null;
  readonly deliveries?: readonly WebhookDelivery[];
  /** Why the log could not be ended: the run fails after its budget is settled. */
  readonly failure?: TemporalFailure;
}

export async function generation(order: GenerationOrder): Promise<GenerationOutcome> {
  const running = new CancellationScope();
  setHandler(stop, () => running.cancel());
  setHandler(raiseCap, ({ maxOutputTokens }) => raise(order, maxOutputTokens));
  const { outcome, warnings, deliveries, order: begun, failure } = await running.run(() => answer(order));
  // A cancelled generation is booked, too.
  const unsettled = await CancellationScope.nonCancellable(async () => {
    const settled = warnings === null ? await settleAndStore(order, outcome) : { warnings, deliveries };
    showOutcome(begun, outcome);
    await sendWarnings(settled.warnings);
    await sendDeliveries(settled.deliveries ?? []);
    await condition(allHandlersFinished);
    return settled.failure;
  });
  const fatal = failure ?? unsettled;
  if (fatal !== undefined) throw fatal;
  return outcome;
}

async function raise(order: GenerationOrder, maxOutputTokens: number): Promise<void> {
  if (!Number.isSafeInteger(maxOutputTokens) || maxOutputTokens < 1) {
    setCurrentDetails(`**raiseCap** was ignored: ${maxOutputTokens} is not a number of tokens.`);
    return;
  }
  const outcome = await CancellationScope.nonCancellable(() => raiseOutputCap({ order, maxOutputTokens }));
  setCurrentDetails(
    outcome.granted
      ? `The output cap is now ${outcome.capTokens} tokens.`
      : `The output cap was not raised to ${maxOutputTokens}. ${describeRefusal(outcome).message}`,
  );
}

async function answer(ordered: GenerationOrder): Promise<Answered> {
  let order = ordered;
  const unsettled = (outcome: GenerationOutcome): Answered => ({ order, outcome, warnings: null });
  try {
    await compactFirst(order);
    const [first] = order.candidates;
    const currentStep = first === undefined ? 'No candidate' : `Streaming from **${candidateName(first)}**`;
    setCurrentDetails(describeOrder(order, currentStep, []));
    const begun = await beginGeneration({ order, epochMs: Date.now() });
    if (begun.compressed !== undefined) order = { ...order, compressed: begun.compressed };
    if (begun.next === 'ended') {
      const { outcome, warnings = [], deliveries = [] } = begun;
      return { order, outcome, warnings, deliveries };
    }
    if (begun.next === 'refuse') return unsettled(await refuse(order, begun.refusal));
    if (begun.next === 'fall-back') {
      return unsettled(await new CandidateChain(order, begun.reservation).run(failureOf(begun.failure)));
    }
    if (begun.waitMs > 0) await sleep(begun.waitMs);
    return unsettled(await new CandidateChain(order, begun.reservation).run(null));
  } catch (error) {
    const failure = readFailure(error);
    const isCancelled = failure.cancelled || isCancelRequested();
    const closing = closeRun(order, isCancelled ? 'cancelled' : 'failed', failure);
    return closing.then(unsettled, (reason: unknown) => {
      if (reason instanceof TemporalFailure) return { ...unsettled(UNKNOWN), failure: reason };
      throw reason;
    });
  }
}

/** The outcome of a log that cannot be ended or read. What earlier attempts used is booked; the rest is unknown. */
const UNKNOWN: GenerationOutcome = {
  status: 'failed',
  provider: null,
  model: null,
  finishReason: null,
  attempts: 0,
  cached: false,
  usage: { ...NO_USAGE, estimated: true },
  costMicroUsd: 0,
  lastSeq: -1,
  errorCode: 'internal',
};

interface SettledRun {
  readonly warnings: readonly BudgetWarning[];
  readonly deliveries?: readonly WebhookDelivery[] | undefined;
  /** Why the usage could not be booked: the run fails. */
  readonly failure?: TemporalFailure;
}

async function settleAndStore(order: GenerationOrder, outcome: GenerationOutcome): Promise<SettledRun> {
  // In a run that older code settled, this activity has no result.
  let settled: Awaited<ReturnType<typeof settleBudget>> | undefined;
  try {
    settled = await settleBudget({ order, outcome });
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    // The usage cannot be booked. The reservation must be released all the same, or the caller's budget loses it.
    await settleBudget({ order, outcome: UNKNOWN }).catch(() =>
      setCurrentDetails('The reservation could not be released; `unbroken budgets reconcile --repair` does.'),
    );
    return { warnings: [], failure: error };
  }
  if (cacheUseOf(order.cache).writes && outcome.status === 'completed' && !outcome.cached) {
    await storeAnswer({ order, outcome }).catch(() => setCurrentDetails('The answer was not stored.'));
  }
  return { warnings: settled?.warnings ?? [], deliveries: settled?.deliveries };
}

function refuse(order: GenerationOrder, refusal: RefusedReservation): Promise<GenerationOutcome> {
  return closeRun(order, 'failed', { code: 'budget_exceeded', ...describeRefusal(refusal) });
}
