/**
 * The story of one generation: it begins (cache, budget, the first candidate's stream) in one local activity, which is
 * all that a short answer needs. A longer one is adopted by an activity that heartbeats; a candidate that fails gives
 * way to the next; then settle and store. Text lies in the log; here are only ids, usage and money.
 */
import {
  CancellationScope,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { cacheUseOf } from '../contracts/cache-mode.ts';
import type { ErrorCode } from '../contracts/errors.ts';
import type { Candidate, GenerationOrder } from '../contracts/generation.ts';
import { formatUsd, totalTokens } from '../contracts/money.ts';
import type { GenerationOutcome, GrantedReservation, RefusedReservation } from '../contracts/steps.ts';
import { BEGIN, MAY_FAIL, MUST_HAPPEN, STREAM } from './activity-options.ts';
import { type CandidateFailure, failureOf, readFailure } from './provider-fallback.ts';

const { beginGeneration } = proxyLocalActivities<Activities>(BEGIN);
const { storeAnswer } = proxyLocalActivities<Activities>(MAY_FAIL);
const { settleBudget, closeGeneration } = proxyLocalActivities<Activities>(MUST_HAPPEN);

/** How a candidate's part of the story ended: with an answer, or with an error that may be the next one's turn. */
type Tried = GenerationOutcome | CandidateFailure;

export async function generation(order: GenerationOrder): Promise<GenerationOutcome> {
  const { outcome, isSettled } = await answer(order);
  // Money is booked also when the generation was cancelled.
  if (!isSettled) await CancellationScope.nonCancellable(() => settleAndStore(order, outcome));
  showOutcome(outcome);
  return outcome;
}

async function answer(order: GenerationOrder): Promise<{ outcome: GenerationOutcome; isSettled: boolean }> {
  try {
    const [first] = order.candidates;
    if (first !== undefined) showCandidate(order, first, []);
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
  if (cacheUseOf(order.cache).writes && outcome.status === 'completed' && !outcome.cached) {
    await storeAnswer({ order, outcome }).catch(() => setCurrentDetails('The answer was not stored.'));
  }
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
      return await close(order, 'failed', tried.code, tried.message);
    }
    failed.push(`${candidate.provider}/${candidate.model}: ${tried.code}`);
  }
  return await close(order, 'failed', 'all_candidates_failed', failed.join('; '));
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
  const { reservedTokens, remainingTokens, maxOutputTokens } = granted;
  return streamFromProvider({ order, candidate, reservedTokens, remainingTokens, maxOutputTokens });
}

function refuse(order: GenerationOrder, refusal: RefusedReservation): Promise<GenerationOutcome> {
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
