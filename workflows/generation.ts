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
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { describeRefusal } from '../contracts/budget-refusal.ts';
import type { BudgetWarning } from '../contracts/budgets.ts';
import type { Candidate, GenerationOrder } from '../contracts/generation.ts';
import { formatUsd, totalTokens } from '../contracts/money.ts';
import { SIGNALS } from '../contracts/names.ts';
import type {
  GenerationOutcome,
  GrantedReservation,
  RefusedReservation,
  StepFailure,
} from '../contracts/steps.ts';
import { BEGIN, MAY_FAIL, MUST_HAPPEN, STREAM } from './activity-options.ts';
import { tellOfWarnings } from './budget-warning.ts';
import { type CandidateFailure, failureOf, readFailure } from './provider-fallback.ts';

const { beginGeneration } = proxyLocalActivities<Activities>(BEGIN);
const { storeAnswer } = proxyLocalActivities<Activities>(MAY_FAIL);
const { settleBudget, closeGeneration, raiseOutputCap } = proxyLocalActivities<Activities>(MUST_HAPPEN);

export { budgetWarning } from './budget-warning.ts';

/** Raises the output cap of the whole answer; one that runs goes on beyond the old cap. */
const raiseCap = defineSignal<[{ readonly maxOutputTokens: number }]>(SIGNALS.raiseCap);
/** Ends the generation as a cancel does: the partial answer is billed. */
const stop = defineSignal(SIGNALS.stop);

/** How a candidate's part of the story ended: with an answer, or with an error that may be the next one's turn. */
type Tried = GenerationOutcome | CandidateFailure;

/** `warnings` is null where the budget is not settled yet. */
interface Answered {
  readonly outcome: GenerationOutcome;
  readonly warnings: readonly BudgetWarning[] | null;
}

export async function generation(order: GenerationOrder): Promise<GenerationOutcome> {
  const running = new CancellationScope();
  setHandler(stop, () => running.cancel());
  setHandler(raiseCap, ({ maxOutputTokens }) => raise(order, maxOutputTokens));
  const { outcome, warnings } = await running.run(() => answer(order));
  // Money is booked also when the generation was cancelled.
  await CancellationScope.nonCancellable(async () => {
    const told = warnings ?? (await settleAndStore(order, outcome));
    showOutcome(outcome);
    await tellOfWarnings(told);
    await condition(allHandlersFinished);
  });
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

async function answer(order: GenerationOrder): Promise<Answered> {
  try {
    const [first] = order.candidates;
    if (first !== undefined) showCandidate(order, first, []);
    const begun = await beginGeneration({ order, epochMs: Date.now() });
    if (begun.next === 'ended') return { outcome: begun.outcome, warnings: begun.warnings ?? [] };
    if (begun.next === 'refuse') return unsettled(await refuse(order, begun.refusal));
    if (begun.next === 'fall-back') {
      return unsettled(await tryCandidates(order, begun.reservation, failureOf(begun.failure)));
    }
    if (begun.waitMs > 0) await sleep(begun.waitMs);
    return unsettled(await tryCandidates(order, begun.reservation, null));
  } catch (error) {
    const failure = readFailure(error);
    return unsettled(await close(order, failure.cancelled ? 'cancelled' : 'failed', failure));
  }
}

function unsettled(outcome: GenerationOutcome): Answered {
  return { outcome, warnings: null };
}

async function settleAndStore(
  order: GenerationOrder,
  outcome: GenerationOutcome,
): Promise<readonly BudgetWarning[]> {
  // A run that was settled before warnings were told has no result here.
  const settled: Awaited<ReturnType<typeof settleBudget>> | undefined = await settleBudget({
    order,
    outcome,
  });
  if (order.cache === 'on' && outcome.status === 'completed' && !outcome.cached) {
    await storeAnswer({ order, outcome }).catch(() => setCurrentDetails('The answer was not stored.'));
  }
  return settled?.warnings ?? [];
}

/** @param firstFailure how the first candidate has failed already; null where it is still to be tried. */
async function tryCandidates(
  order: GenerationOrder,
  reservation: GrantedReservation,
  firstFailure: CandidateFailure | null,
): Promise<GenerationOutcome> {
  const failed: string[] = [];
  for (const [index, candidate] of order.candidates.entries()) {
    const known = index === 0 ? firstFailure : null;
    const tried = known ?? (await tryCandidate(order, candidate, reservation, failed));
    if ('status' in tried) return tried;
    if (!tried.fallback || order.candidates.length === 1) {
      return await close(order, 'failed', tried);
    }
    failed.push(`${candidate.provider}/${candidate.model}: ${tried.code}`);
  }
  return await close(order, 'failed', { code: 'all_candidates_failed', message: failed.join('; ') });
}

async function tryCandidate(
  order: GenerationOrder,
  candidate: Candidate,
  reservation: GrantedReservation,
  failed: readonly string[],
): Promise<Tried> {
  if (failed.length > 0) {
    showCandidate(order, candidate, failed);
    upsertSearchAttributes({ UnbrokenProvider: [candidate.provider], UnbrokenModel: [candidate.model] });
  }
  try {
    return await stream(order, candidate, reservation);
  } catch (error) {
    const failure = readFailure(error);
    if (failure.cancelled) throw error;
    return failure;
  }
}

function stream(
  order: GenerationOrder,
  candidate: Candidate,
  granted: GrantedReservation,
): Promise<GenerationOutcome> {
  const { streamFromProvider } = proxyActivities<Activities>({
    ...STREAM,
    scheduleToCloseTimeout: order.limitMs,
    summary: `${candidate.provider}/${candidate.model}`,
  });
  const { reservedTokens, reservedMicroUsd = 0, remainingTokens, maxOutputTokens, warnings = [] } = granted;
  const reserved = { reservedTokens, reservedMicroUsd, remainingTokens, maxOutputTokens, warnings };
  return streamFromProvider({ order, candidate, ...reserved });
}

function refuse(order: GenerationOrder, refusal: RefusedReservation): Promise<GenerationOutcome> {
  return close(order, 'failed', { code: 'budget_exceeded', ...describeRefusal(refusal) });
}

function close(
  order: GenerationOrder,
  as: 'failed' | 'cancelled',
  { code, message, details }: StepFailure,
): Promise<GenerationOutcome> {
  const error = { code, message, ...(details === undefined ? {} : { details }) };
  return CancellationScope.nonCancellable(() => closeGeneration({ order, as, error }));
}

function showCandidate(order: GenerationOrder, candidate: Candidate, failed: readonly string[]): void {
  const lines = [
    `Streaming from **${candidate.provider}/${candidate.model}**`,
    `at most ${order.maxOutputTokens} output tokens`,
    ...failed.map((line) => `failed: ${line}`),
  ];
  setCurrentDetails(lines.join('\n\n'));
}

function showOutcome(outcome: GenerationOutcome): void {
  const { status, provider, model, usage, costMicroUsd, attempts } = outcome;
  const source = outcome.cached ? 'the cache' : `${provider ?? 'no provider'}/${model ?? ''}`;
  const lines = [
    `**${status}** by ${source}, attempt ${attempts}`,
    `${totalTokens(usage)} tokens${usage.estimated ? ' (estimated)' : ''}, ${formatUsd(costMicroUsd)}`,
    ...(outcome.errorCode === null ? [] : [`error: ${outcome.errorCode}`]),
  ];
  setCurrentDetails(lines.join('\n\n'));
  upsertSearchAttributes({
    UnbrokenStatus: [status],
    UnbrokenCostMicroUsd: [costMicroUsd],
    ...(provider === null ? {} : { UnbrokenProvider: [provider] }),
    ...(model === null ? {} : { UnbrokenModel: [model] }),
  });
}
