/**
 * The story of one generation: look-up and reservation side by side, then the candidates in order until one has
 * answered, then settle and store. Text lies in the log; here are only ids, usage and money.
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
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { describeRefusal } from '../contracts/budget-refusal.ts';
import type { Candidate, GenerationOrder } from '../contracts/generation.ts';
import { formatUsd, totalTokens } from '../contracts/money.ts';
import { SIGNALS } from '../contracts/names.ts';
import type { CacheStepResult, CloseStep, GenerationOutcome } from '../contracts/steps.ts';
import { MAY_FAIL, MUST_HAPPEN, STREAM } from './activity-options.ts';
import { tellOfWarnings } from './budget-warning.ts';
import { readFailure } from './provider-fallback.ts';

const { lookUpCache, storeAnswer } = proxyLocalActivities<Activities>(MAY_FAIL);
const { reserveBudget, settleBudget, closeGeneration, raiseOutputCap } =
  proxyLocalActivities<Activities>(MUST_HAPPEN);

export { budgetWarning } from './budget-warning.ts';

/** Raises the output cap of the whole answer; the answer that runs goes on beyond the old one. */
const raiseCap = defineSignal<[{ readonly maxOutputTokens: number }]>(SIGNALS.raiseCap);
/** Ends the generation as a cancel does: the partial answer is billed. */
const stop = defineSignal(SIGNALS.stop);

type ReserveOutcome = Awaited<ReturnType<Activities['reserveBudget']>>;
type SettleOutcome = Awaited<ReturnType<Activities['settleBudget']>>;
type Granted = Extract<ReserveOutcome, { granted: true }>;

export async function generation(order: GenerationOrder): Promise<GenerationOutcome> {
  const running = new CancellationScope();
  setHandler(stop, () => running.cancel());
  setHandler(raiseCap, ({ maxOutputTokens }) => raise(order, maxOutputTokens));
  const outcome = await running.run(() => answer(order));
  // Money is booked also when the generation was cancelled.
  await CancellationScope.nonCancellable(async () => {
    const settled: SettleOutcome | undefined = await settleBudget({ order, outcome });
    if (order.cache === 'on' && outcome.status === 'completed' && !outcome.cached) {
      await storeAnswer({ order, outcome }).catch(() => setCurrentDetails('The answer was not stored.'));
    }
    showOutcome(outcome);
    // Runs that were settled before warnings were told have no result here.
    await tellOfWarnings(settled?.warnings ?? []);
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
  const answer = outcome.granted
    ? `The output cap is now ${outcome.capTokens} tokens.`
    : `The output cap was not raised to ${maxOutputTokens}. ${describeRefusal(outcome).message}`;
  setCurrentDetails(answer);
}

async function answer(order: GenerationOrder): Promise<GenerationOutcome> {
  try {
    setCurrentDetails('Looking up the cache, reserving budget');
    const [cached, reservation] = await Promise.all([tryCache(order), reserveBudget(order)]);
    if (cached.hit !== null) return cached.hit;
    if (!reservation.granted) return await refuse(order, reservation);
    return await tryCandidates(order, reservation);
  } catch (error) {
    const failure = readFailure(error);
    return await close(order, failure.cancelled ? 'cancelled' : 'failed', failure);
  }
}

async function tryCache(order: GenerationOrder): Promise<CacheStepResult> {
  const miss = { hit: null, unavailable: null };
  if (order.cache === 'off') return miss;
  return lookUpCache(order).catch(() => miss);
}

async function tryCandidates(order: GenerationOrder, reservation: Granted): Promise<GenerationOutcome> {
  const failed: string[] = [];
  for (const [index, candidate] of order.candidates.entries()) {
    showCandidate(order, candidate, failed);
    if (index > 0)
      upsertSearchAttributes({ UnbrokenProvider: [candidate.provider], UnbrokenModel: [candidate.model] });
    try {
      return await stream(order, candidate, reservation);
    } catch (error) {
      const failure = readFailure(error);
      if (failure.cancelled || !failure.fallback) throw error;
      failed.push(`${candidate.provider}/${candidate.model}: ${failure.code}`);
      if (order.candidates.length === 1) return await close(order, 'failed', failure);
    }
  }
  return await close(order, 'failed', { code: 'all_candidates_failed', message: failed.join('; ') });
}

function stream(order: GenerationOrder, candidate: Candidate, granted: Granted): Promise<GenerationOutcome> {
  const { streamFromProvider } = proxyActivities<Activities>({
    ...STREAM,
    scheduleToCloseTimeout: order.limitMs,
    summary: `${candidate.provider}/${candidate.model}`,
  });
  const { reservedTokens, reservedMicroUsd, remainingTokens, maxOutputTokens, warnings } = granted;
  const reserved = { reservedTokens, reservedMicroUsd, remainingTokens, maxOutputTokens, warnings };
  return streamFromProvider({ order, candidate, ...reserved });
}

function refuse(
  order: GenerationOrder,
  refusal: Exclude<ReserveOutcome, Granted>,
): Promise<GenerationOutcome> {
  return close(order, 'failed', { code: 'budget_exceeded', ...describeRefusal(refusal) });
}

function close(
  order: GenerationOrder,
  as: 'failed' | 'cancelled',
  { code, message, details }: NonNullable<CloseStep['error']>,
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
