/**
 * Tries the candidates of a generation, one after another, until one has answered. A candidate without room is skipped
 * while there is another. If only such candidates are left, the generation waits in Temporal's queue, by priority and
 * fairness, and holds no worker meanwhile. At the end of the chain an old stored answer may stand in.
 */
import {
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
import { TIMEOUT_MESSAGE } from '../contracts/errors.ts';
import type { Candidate, GenerationOrder } from '../contracts/generation.ts';
import { DEFAULTS, LIMITS } from '../contracts/limits.ts';
import { roomQueue } from '../contracts/names.ts';
import type { GenerationOutcome, GrantedReservation, RoomTaken, WaitResult } from '../contracts/steps.ts';
import { MAY_FAIL, ROOM, STREAM } from './activity-options.ts';
import { closeRun, isCancelRequested, passCancelOn } from './close-run.ts';
import { describeOrder } from './describe-run.ts';
import {
  type CandidateFailure,
  type FailedCandidate,
  mayFallBack,
  readFailure,
  remainingCandidates,
} from './provider-fallback.ts';

const { answerFromCache } = proxyLocalActivities<Activities>(MAY_FAIL);

/** Temporal requires a positive time limit for every activity. */
const LEAST_MS = 1_000;

/** The result of one candidate: an answer, or an error after which the next candidate may be tried. */
type Tried = GenerationOutcome | CandidateFailure;

interface Turn {
  readonly candidate: Candidate;
  /** No other candidate has room, so this one is waited for. */
  readonly mustWait: boolean;
  readonly isFirst: boolean;
  /** True if no candidate is left after this one. */
  readonly isLast: boolean;
}

export class CandidateChain {
  readonly #order: GenerationOrder;
  readonly #reservation: GrantedReservation;
  readonly #failed: FailedCandidate[] = [];
  readonly #withoutRoom: Candidate[] = [];

  constructor(order: GenerationOrder, reservation: GrantedReservation) {
    this.#order = order;
    this.#reservation = reservation;
  }

  /** @param first how the first candidate has failed already; null if it is still to be tried. */
  async run(first: CandidateFailure | null): Promise<GenerationOutcome> {
    let earlier = first;
    for (;;) {
      const turn = this.#nextTurn();
      if (turn === null) return this.#end();
      if (leftMs(this.#order) <= 0) {
        const as = isCancelRequested() ? 'cancelled' : 'failed';
        return closeRun(this.#order, as, { code: 'generation_timeout', message: TIMEOUT_MESSAGE });
      }
      const tried = earlier ?? (await (turn.mustWait ? this.#waitAndTry(turn) : this.#try(turn)));
      earlier = null;
      if ('status' in tried) return tried;
      if (isCancelRequested()) return closeRun(this.#order, 'cancelled', tried);
      const { candidate } = turn;
      if (tried.code === 'provider_full' && !this.#isTooLong(tried)) this.#withoutRoom.push(candidate);
      else if (mayFallBack(this.#order, tried.code)) this.#failed.push({ candidate, failure: tried });
      else return closeRun(this.#order, 'failed', withRetryTime(tried));
    }
  }

  #nextTurn(): Turn | null {
    const left = remainingCandidates(this.#order, this.#failed);
    const full = left.filter((candidate) =>
      this.#withoutRoom.some((other) => isSameCandidate(candidate, other)),
    );
    const free = left.filter((candidate) => !full.includes(candidate));
    const mustWait = free.length === 0 || (full.length > 0 && this.#order.routing?.whenFull === 'wait');
    const [candidate] = mustWait ? full : free;
    if (candidate === undefined) return null;
    const isFirst = this.#failed.length + this.#withoutRoom.length === 0;
    return { candidate, mustWait, isFirst, isLast: left.length === 1 };
  }

  /** True if the wait would be longer than the route or the deadline allows: then it is not begun. */
  #isTooLong({ waitMs = 0 }: CandidateFailure): boolean {
    return waitMs > this.#longestWaitMs();
  }

  #longestWaitMs(): number {
    return Math.min(this.#order.routing?.maxWaitMs ?? DEFAULTS.roomWaitMs, leftMs(this.#order));
  }

  async #waitAndTry(turn: Turn): Promise<Tried> {
    const { candidate } = turn;
    this.#describe(`Waiting for room at **${candidateName(candidate)}**`);
    const untilMs = Date.now() + this.#longestWaitMs();
    for (;;) {
      const waited = await this.#waitForTurn(candidate, untilMs - Date.now());
      if ('code' in waited) return waited;
      if ('keyId' in waited) return this.#try(turn, waited);
      if (Date.now() + waited.restMs > untilMs) return noRoom(candidate);
      await sleep(waited.restMs);
    }
  }

  /** Waits in the queue until it is this generation's turn, then until the candidate has room or must not be called. */
  async #waitForTurn(candidate: Candidate, limitMs: number): Promise<WaitResult | CandidateFailure> {
    const { generationId, routing, promptCacheKey } = this.#order;
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
        tokens: this.#reservation.reservedTokens,
        ...(promptCacheKey === undefined ? {} : { promptCacheKey }),
        // After a longer Retry-After the caller gets the provider's error at once, unless the route says to wait.
        ...(routing?.whenFull === 'wait' ? {} : { longestRestMs: LIMITS.retryAfterMs }),
      });
    } catch (error) {
      const failure = readFailure(error);
      if (failure.cancelled) throw error;
      return failure.code === 'generation_timeout' ? noRoom(candidate) : failure;
    }
  }

  async #try({ candidate, isFirst, isLast }: Turn, room?: RoomTaken): Promise<Tried> {
    const { provider, model } = candidate;
    if (!isFirst) {
      this.#describe(`Streaming from **${candidateName(candidate)}**`);
      upsertSearchAttributes({ UnbrokenProvider: [provider], UnbrokenModel: [model] });
    }
    const { streamFromProvider } = proxyActivities<Activities>({
      ...STREAM,
      scheduleToCloseTimeout: Math.max(LEAST_MS, leftMs(this.#order) + LEAST_MS),
      summary: candidateName(candidate),
    });
    const streaming = streamFromProvider({
      order: this.#order,
      candidate,
      isLast,
      ...reservedIn(this.#reservation),
      ...(room === undefined ? {} : { room }),
    });
    passCancelOn(this.#order, streaming);
    try {
      return await streaming;
    } catch (error) {
      const failure = readFailure(error);
      if (failure.cancelled) throw error;
      return failure;
    }
  }

  /** No candidate is left. */
  async #end(): Promise<GenerationOutcome> {
    const { cache, routing } = this.#order;
    if (cacheUseOf(cache).reads && routing?.cachedAnswer === true) {
      const failures = this.#failed.map(({ failure }) => failure.code);
      // If the cache fails, the caller gets the errors of the candidates.
      const stored = await answerFromCache(this.#order, failures).catch(() => null);
      if (stored !== null) return stored;
    }
    const last = this.#failed.at(-1);
    // An answer that does not fit has a place where it does not, which a list of errors has not.
    if (last !== undefined && (this.#failed.length === 1 || last.failure.code === 'output_invalid')) {
      return closeRun(this.#order, 'failed', withRetryTime(last.failure));
    }
    const failures = this.#failed.map(
      ({ candidate, failure }) => `${candidateName(candidate)}: ${failure.code}`,
    );
    const retryAtMs = this.#failed.map(({ failure }) => withRetryTime(failure).details?.['retryAtMs']);
    const retryTime = retryAtMs.findLast((time) => time !== undefined);
    return closeRun(this.#order, 'failed', {
      code: 'all_candidates_failed',
      message: failures.join('; '),
      ...(retryTime === undefined ? {} : { details: { retryAtMs: retryTime } }),
    });
  }

  #describe(doing: string): void {
    setCurrentDetails(describeOrder(this.#order, doing, this.#failed));
  }
}

/** The caller gets the time in details as its Retry-After: the one that the provider named, or that its gate knows. */
function withRetryTime(failure: CandidateFailure): CandidateFailure {
  const { waitMs, details } = failure;
  if (details?.['retryAtMs'] !== undefined || waitMs === undefined || !Number.isFinite(waitMs))
    return failure;
  return { ...failure, details: { ...details, retryAtMs: Date.now() + waitMs } };
}

/** The allowed wait is over. With an infinite `waitMs` the candidate has failed: it is not waited for again. */
function noRoom({ provider }: Candidate): CandidateFailure {
  const message = `No key of ${provider} had room within the time that the route and the deadline allow.`;
  return { code: 'provider_full', message, waitMs: Number.POSITIVE_INFINITY, cancelled: false };
}

/** How long the generation may still take. */
function leftMs({ deadlineAtMs, limitMs }: GenerationOrder): number {
  return deadlineAtMs === undefined ? limitMs : deadlineAtMs - Date.now();
}

/** The fields of a reservation that the stream needs. */
function reservedIn(reservation: GrantedReservation): GrantedReservation {
  const {
    reservedTokens,
    reservedMicroUsd = 0,
    remainingTokens,
    maxOutputTokens,
    warnings = [],
    isUnlimited,
  } = reservation;
  return {
    reservedTokens,
    reservedMicroUsd,
    remainingTokens,
    maxOutputTokens,
    warnings,
    ...(isUnlimited === undefined ? {} : { isUnlimited }),
  };
}
