/**
 * The story of one generation: look-up and reservation side by side, then the candidates in order until one has
 * answered, then settle and store. Text lies in the log; here are only ids, usage and money.
 */
import {
  CancellationScope,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import type { Candidate, GenerationOrder } from '../contracts/generation.ts';
import { formatUsd, totalTokens } from '../contracts/money.ts';
import type { CacheStepResult, GenerationOutcome } from '../contracts/steps.ts';
import { MAY_FAIL, MUST_HAPPEN, STREAM } from './activity-options.ts';
import { readFailure } from './provider-fallback.ts';

const { lookUpCache, storeAnswer } = proxyLocalActivities<Activities>(MAY_FAIL);
const { reserveBudget, settleBudget, closeGeneration } = proxyLocalActivities<Activities>(MUST_HAPPEN);

type ReserveOutcome = Awaited<ReturnType<Activities['reserveBudget']>>;
type Granted = Extract<ReserveOutcome, { granted: true }>;

export async function generation(order: GenerationOrder): Promise<GenerationOutcome> {
  const outcome = await answer(order);
  // Money is booked also when the generation was cancelled.
  await CancellationScope.nonCancellable(async () => {
    await settleBudget({ order, outcome });
    if (order.cache === 'on' && outcome.status === 'completed' && !outcome.cached) {
      await storeAnswer({ order, outcome }).catch(() => setCurrentDetails('The answer was not stored.'));
    }
  });
  showOutcome(outcome);
  return outcome;
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
    return await close(order, failure.cancelled ? 'cancelled' : 'failed', failure.code, failure.message);
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
      if (order.candidates.length === 1) return await close(order, 'failed', failure.code, failure.message);
    }
  }
  return await close(order, 'failed', 'all_candidates_failed', failed.join('; '));
}

function stream(order: GenerationOrder, candidate: Candidate, granted: Granted): Promise<GenerationOutcome> {
  const { streamFromProvider } = proxyActivities<Activities>({
    ...STREAM,
    scheduleToCloseTimeout: order.limitMs,
    summary: `${candidate.provider}/${candidate.model}`,
  });
  const { reservedTokens, remainingTokens, maxOutputTokens } = granted;
  return streamFromProvider({ order, candidate, reservedTokens, remainingTokens, maxOutputTokens });
}

function refuse(
  order: GenerationOrder,
  refusal: Exclude<ReserveOutcome, Granted>,
): Promise<GenerationOutcome> {
  const { limitTokens, remainingTokens, resetsAtMs } = refusal;
  const resets = new Date(resetsAtMs).toISOString();
  const message = `The daily budget of ${limitTokens} tokens has ${remainingTokens} left; it resets at ${resets}.`;
  return close(order, 'failed', 'budget_exceeded', message);
}

function close(order: GenerationOrder, as: 'failed' | 'cancelled', code: ErrorCode, message: string) {
  return CancellationScope.nonCancellable(() => closeGeneration({ order, as, error: { code, message } }));
}

function showCandidate(order: GenerationOrder, candidate: Candidate, failed: readonly string[]): void {
  const lines = [
    `Streaming from **${candidate.provider}/${candidate.model}**`,
    ...aboutOrder(order),
    ...failed.map((line) => `failed: ${line}`),
  ];
  setCurrentDetails(lines.join('\n\n'));
}

function aboutOrder({ maxOutputTokens, capFrom, prompt, continues }: GenerationOrder): readonly string[] {
  return [
    `at most ${maxOutputTokens} output tokens${capFrom === undefined ? '' : ` (${capFrom})`}`,
    ...(prompt === undefined ? [] : [`prompt ${prompt.name}@${prompt.version}`]),
    ...(continues === undefined ? [] : [`goes on with the text of ${continues.generationId}`]),
  ];
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
