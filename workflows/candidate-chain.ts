/**
 * The candidates of a generation, one after the other until one has answered. One without room is passed over while
 * there is another; then the generation waits for it in Temporal's queue, by priority and fairness, and holds no
 * worker meanwhile. At the end of the chain an old stored answer may stand in.
 */
import {
  CancellationScope,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { cacheUseOf } from '../contracts/cache-mode.ts';
import { candidateName, isSameCandidate } from '../contracts/candidate.ts';
import type { Candidate, GenerationOrder } from '../contracts/generation.ts';
import { DEFAULTS, LIMITS } from '../contracts/limits.ts';
import { roomQueue } from '../contracts/names.ts';
import type {
  GenerationOutcome,
  GrantedReservation,
  RoomTaken,
  StepFailure,
  WaitResult,
} from '../contracts/steps.ts';
import { MAY_FAIL, MUST_HAPPEN, ROOM, STREAM } from './activity-options.ts';
import { describeOrder } from './describe-run.ts';
import {
  type CandidateFailure,
  type FailedCandidate,
  mayFallBack,
  readFailure,
  remainingCandidates,
} from './provider-fallback.ts';

const { answerFromCache } = proxyLocalActivities<Activities>(MAY_FAIL);
const { closeGeneration } = proxyLocalActivities<Activities>(MUST_HAPPEN);

/** Temporal wants some time for every activity. */
const LEAST_MS = 1_000;
const TOO_LONG = 'The generation took longer than its limit.';

/** How a candidate's part of the story ended: with an answer, or with an error that may be the next one's turn. */
type Tried = GenerationOutcome | CandidateFailure;

interface Turn {
  readonly isFirst: boolean;
  /** Whether nobody is left after it. */
  readonly isLast: boolean;
  readonly room?: RoomTaken;
}

/** @param first how the first candidate has failed already; null where it is still to be tried. */
export async function tryCandidates(
  order: GenerationOrder,
  reservation: GrantedReservation,
  first: CandidateFailure | null,
): Promise<GenerationOutcome> {
  const failed: FailedCandidate[] = [];
  const withoutRoom: Candidate[] = [];
  let known = first;
  for (;;) {
    const left = remainingCandidates(order, failed);
    const full = left.filter((candidate) => withoutRoom.some((other) => isSameCandidate(candidate, other)));
    const free = left.filter((candidate) => !full.includes(candidate));
    const mustWait = free.length === 0 || (full.length > 0 && order.routing?.whenFull === 'wait');
    const [candidate] = mustWait ? full : free;
    if (candidate === undefined) return endChain(order, failed);
    if (leftMs(order) <= 0) {
      const as = isCancelRequested() ? 'cancelled' : 'failed';
      return close(order, as, { code: 'generation_timeout', message: TOO_LONG });
    }
    const how = { isFirst: failed.length + withoutRoom.length === 0, isLast: left.length === 1 };
    const ask = mustWait ? waitAndTry : tryCandidate;
    const tried: Tried = known ?? (await ask(order, candidate, reservation, failed, how));
    known = null;
    if ('status' in tried) return tried;
    if (isCancelRequested()) return close(order, 'cancelled', tried);
    if (tried.code === 'provider_full' && !isTooLong(order, tried)) withoutRoom.push(candidate);
    else if (mayFallBack(order, tried.code)) failed.push({ candidate, failure: tried });
    else return close(order, 'failed', tried);
  }
}

/**
 * Whether the caller wishes the generation to end. An error may be the first answer to a cancel: a worker that died is
 * known by its missed heartbeats, and a provider may fail in the same moment. The caller gets the end that he asked for.
 * Runs of older code went on to the next candidate, which records a command; they keep to it when they are replayed.
 */
export function isCancelRequested(): boolean {
  return CancellationScope.current().consideredCancelled && patched('cancel-outranks-errors');
}

/** Whether the wait would be longer than the route or the deadline allows: then it is not begun. */
function isTooLong(order: GenerationOrder, { waitMs = 0 }: CandidateFailure): boolean {
  return waitMs > longestWaitMs(order);
}

function longestWaitMs(order: GenerationOrder): number {
  return Math.min(order.routing?.maxWaitMs ?? DEFAULTS.roomWaitMs, leftMs(order));
}

async function waitAndTry(
  order: GenerationOrder,
  candidate: Candidate,
  reservation: GrantedReservation,
  failed: readonly FailedCandidate[],
  how: Turn,
): Promise<Tried> {
  const { provider, model } = candidate;
  setCurrentDetails(describeOrder(order, `Waiting for room at **${provider}/${model}**`, failed));
  const untilMs = Date.now() + longestWaitMs(order);
  for (;;) {
    const waited = await waitForTurn(order, candidate, reservation, untilMs - Date.now());
    if ('code' in waited) return waited;
    if ('keyId' in waited)
      return tryCandidate(order, candidate, reservation, failed, { ...how, room: waited });
    if (Date.now() + waited.restMs > untilMs) return noRoom(provider);
    await sleep(waited.restMs);
  }
}

/** In the queue until it is this generation's turn, and then until there is room or the model is to be left alone. */
async function waitForTurn(
  { generationId, routing }: GenerationOrder,
  candidate: Candidate,
  { reservedTokens }: GrantedReservation,
  limitMs: number,
): Promise<WaitResult | CandidateFailure> {
  const { waitForRoom } = proxyActivities<Activities>({
    ...ROOM,
    taskQueue: roomQueue(workflowInfo().taskQueue, candidate.provider),
    scheduleToCloseTimeout: Math.max(LEAST_MS, limitMs),
    summary: `room at ${candidate.provider}`,
  });
  try {
    return await waitForRoom({
      generationId,
      candidate,
      tokens: reservedTokens,
      // A caller is better served by the provider's word than by a silence of this length, unless the route says else.
      ...(routing?.whenFull === 'wait' ? {} : { longestRestMs: LIMITS.retryAfterMs }),
    });
  } catch (error) {
    const failure = readFailure(error);
    if (failure.cancelled) throw error;
    return failure.code === 'generation_timeout' ? noRoom(candidate.provider) : failure;
  }
}

/** The wait that was allowed is over: a failure for good, not to be waited for again. */
function noRoom(provider: string): CandidateFailure {
  const message = `No key of ${provider} had room within the time that the route and the deadline allow.`;
  return { code: 'provider_full', message, waitMs: Number.POSITIVE_INFINITY, cancelled: false };
}

async function tryCandidate(
  order: GenerationOrder,
  candidate: Candidate,
  reservation: GrantedReservation,
  failed: readonly FailedCandidate[],
  how: Turn,
): Promise<Tried> {
  const { provider, model } = candidate;
  if (!how.isFirst) {
    setCurrentDetails(describeOrder(order, `Streaming from **${provider}/${model}**`, failed));
    upsertSearchAttributes({ UnbrokenProvider: [provider], UnbrokenModel: [model] });
  }
  const { streamFromProvider } = proxyActivities<Activities>({
    ...STREAM,
    scheduleToCloseTimeout: Math.max(LEAST_MS, leftMs(order) + LEAST_MS),
    summary: `${provider}/${model}`,
  });
  const { isLast, room } = how;
  try {
    return await streamFromProvider({
      order,
      candidate,
      isLast,
      ...reservedIn(reservation),
      ...(room === undefined ? {} : { room }),
    });
  } catch (error) {
    const failure = readFailure(error);
    if (failure.cancelled) throw error;
    return failure;
  }
}

async function endChain(
  order: GenerationOrder,
  failed: readonly FailedCandidate[],
): Promise<GenerationOutcome> {
  if (cacheUseOf(order.cache).reads && order.routing?.cachedAnswer === true) {
    // Whatever goes wrong with the cache, the caller gets the errors of the candidates.
    const stored = await answerFromCache(order).catch(() => null);
    if (stored !== null) return stored;
  }
  const [only] = failed;
  if (failed.length === 1 && only !== undefined) {
    return close(order, 'failed', only.failure);
  }
  const failures = failed.map(({ candidate, failure }) => `${candidateName(candidate)}: ${failure.code}`);
  return close(order, 'failed', { code: 'all_candidates_failed', message: failures.join('; ') });
}

/** How long the generation may still take. */
function leftMs({ deadlineAtMs, limitMs }: GenerationOrder): number {
  return deadlineAtMs === undefined ? limitMs : deadlineAtMs - Date.now();
}

/** What of a reservation the stream is told. */
function reservedIn(reservation: GrantedReservation): GrantedReservation {
  const {
    reservedTokens,
    reservedMicroUsd = 0,
    remainingTokens,
    maxOutputTokens,
    warnings = [],
  } = reservation;
  return { reservedTokens, reservedMicroUsd, remainingTokens, maxOutputTokens, warnings };
}

export function close(
  order: GenerationOrder,
  as: 'failed' | 'cancelled',
  { code, message, details }: StepFailure,
): Promise<GenerationOutcome> {
  const error = { code, message, ...(details === undefined ? {} : { details }) };
  return CancellationScope.nonCancellable(() => closeGeneration({ order, as, error }));
}
