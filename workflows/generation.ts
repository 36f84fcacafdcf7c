/**
 * The story of one generation: it begins (cache, budget, the first candidate's stream) in one local activity, which is
 * all that a short answer needs. A longer one is adopted by an activity that heartbeats; a candidate that fails gives
 * way to the next; then settle and store. Text lies in the log; here are only ids, usage and money.
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
import type { GenerationOrder } from '../contracts/generation.ts';
import { NO_USAGE } from '../contracts/money.ts';
import { SIGNALS } from '../contracts/names.ts';
import type { GenerationOutcome, RefusedReservation } from '../contracts/steps.ts';
import { BEGIN, MAY_FAIL, MUST_HAPPEN } from './activity-options.ts';
import { tellOfWarnings } from './budget-warning.ts';
import { close, isCancelRequested, tryCandidates } from './candidate-chain.ts';
import { describeOrder, showOutcome } from './describe-run.ts';
import { failureOf, readFailure } from './provider-fallback.ts';

const { beginGeneration } = proxyLocalActivities<Activities>(BEGIN);
const { storeAnswer } = proxyLocalActivities<Activities>(MAY_FAIL);
const { settleBudget, raiseOutputCap } = proxyLocalActivities<Activities>(MUST_HAPPEN);

export { budgetWarning } from './budget-warning.ts';

/** Raises the output cap of the whole answer; one that runs goes on beyond the old cap. */
const raiseCap = defineSignal<[{ readonly maxOutputTokens: number }]>(SIGNALS.raiseCap);
/** Ends the generation as a cancel does: the partial answer is billed. */
const stop = defineSignal(SIGNALS.stop);

/** `warnings` is null where the budget is not settled yet. */
interface Answered {
  /** With what became known of it. */
  readonly order: GenerationOrder;
  readonly outcome: GenerationOutcome;
  readonly warnings: readonly BudgetWarning[] | null;
  /** Why the log could not be ended: the run fails, once its budget is settled. */
  readonly failure?: TemporalFailure;
}

export async function generation(order: GenerationOrder): Promise<GenerationOutcome> {
  const running = new CancellationScope();
  setHandler(stop, () => running.cancel());
  setHandler(raiseCap, ({ maxOutputTokens }) => raise(order, maxOutputTokens));
  const { outcome, warnings, order: begun, failure } = await running.run(() => answer(order));
  // Money is booked also when the generation was cancelled.
  const unsettled = await CancellationScope.nonCancellable(async () => {
    const settled = warnings === null ? await settleAndStore(order, outcome) : { warnings };
    showOutcome(begun, outcome);
    await tellOfWarnings(settled.warnings);
    await condition(allHandlersFinished);
    return settled.failure;
  });
  const hopeless = failure ?? unsettled;
  if (hopeless !== undefined) throw hopeless;
  return outcome;
}

async function raise(order: GenerationOrder, maxOutputTokens: number): Promise<void> {
  if (!Number.isSafeInteger(maxOutputTokens) || maxOutputTokens < 1) {
    setCurrentDetails(`**raiseCap** was ignored: ${maxOutputTokens} is no number of tokens.`);
    return;
  }
  const outcome = await CancellationScope.nonCancellable(() => raiseOutputCap({ order, maxOutputTokens }));
  setCurrentDetails(
    outcome.granted
      ? `The output cap is now ${outcome.capTokens} tokens.`
      : `The output cap was not raised to ${maxOutputTokens}. ${describeRefusal(outcome).message}`,
  );
}

async function answer(given: GenerationOrder): Promise<Answered> {
  let order = given;
  const unsettled = (outcome: GenerationOutcome): Answered => ({ order, outcome, warnings: null });
  try {
    const [first] = order.candidates;
    const doing =
      first === undefined ? 'No candidate' : `Streaming from **${first.provider}/${first.model}**`;
    setCurrentDetails(describeOrder(order, doing, []));
    const begun = await beginGeneration({ order, epochMs: Date.now() });
    if (begun.compressed !== undefined) order = { ...order, compressed: begun.compressed };
    if (begun.next === 'ended') return { order, outcome: begun.outcome, warnings: begun.warnings ?? [] };
    if (begun.next === 'refuse') return unsettled(await refuse(order, begun.refusal));
    if (begun.next === 'fall-back') {
      return unsettled(await tryCandidates(order, begun.reservation, failureOf(begun.failure)));
    }
    if (begun.waitMs > 0) await sleep(begun.waitMs);
    return unsettled(await tryCandidates(order, begun.reservation, null));
  } catch (error) {
    const failure = readFailure(error);
    const isCancelled = failure.cancelled || isCancelRequested();
    return close(order, isCancelled ? 'cancelled' : 'failed', failure).then(unsettled, (reason: unknown) => {
      if (reason instanceof TemporalFailure) return { ...unsettled(UNKNOWN), failure: reason };
      throw reason;
    });
  }
}

/** Of a log that nobody can end or read. What earlier attempts used is booked already; the rest of it is not known. */
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
  /** Why what was used could not be booked: the run fails. */
  readonly failure?: TemporalFailure;
}

async function settleAndStore(order: GenerationOrder, outcome: GenerationOutcome): Promise<SettledRun> {
  // A run that was settled before warnings were told has no result here.
  let settled: Awaited<ReturnType<typeof settleBudget>> | undefined;
  try {
    settled = await settleBudget({ order, outcome });
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    // What was used cannot be booked. A reservation that stayed would be taken from the caller's budget for good.
    await settleBudget({ order, outcome: UNKNOWN }).catch(() =>
      setCurrentDetails('The reservation could not be released; `unbroken budgets reconcile --repair` does.'),
    );
    return { warnings: [], failure: error };
  }
  if (cacheUseOf(order.cache).writes && outcome.status === 'completed' && !outcome.cached) {
    await storeAnswer({ order, outcome }).catch(() => setCurrentDetails('The answer was not stored.'));
  }
  return { warnings: settled?.warnings ?? [] };
}

function refuse(order: GenerationOrder, refusal: RefusedReservation): Promise<GenerationOutcome> {
  return close(order, 'failed', { code: 'budget_exceeded', ...describeRefusal(refusal) });
}
