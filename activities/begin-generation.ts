/**
 * The first steps of a generation: cache and budget side by side, then the first candidate's stream. An answer that is
 * whole soon costs Temporal one workflow task in all. A longer one runs on in this process, and the activity
 * `streamFromProvider` adopts it: a local activity holds a workflow task and cannot heartbeat.
 *
 * A worker that starts the run itself need not wait for the workflow to ask: it prepares the generation while Temporal
 * writes the run down, and goes on when that is done. The local activity of that run then joins what has begun.
 */
import { ApplicationFailure } from '@temporalio/common';
import { cacheUseOf } from '../contracts/cache-mode.ts';
import { isErrorCode } from '../contracts/errors.ts';
import type { Candidate, GenerationInput, GenerationOrder } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import {
  type BeginStep,
  type BegunGeneration,
  type GenerationOutcome,
  readFailureFacts,
  type StreamStep,
} from '../contracts/steps.ts';
import { worstSentTokens } from '../contracts/tokens.ts';
import type { CacheLookUp } from '../engine/cache/answer-cache.ts';
import { enterGate, leaveUnused } from './attempt/gate-admission.ts';
import { nameOfLog } from './attempt/name-of-log.ts';
import type { RunningStreams } from './attempt/running-streams.ts';
import type { Dependencies } from './dependencies.ts';
import { notOurs, permanent } from './failures.ts';
import { readRecord } from './generation-record.ts';
import { type Given, lookUpCache, replayAnswer } from './look-up-cache.ts';
import { type PreparedReservation, reserveBudget } from './reserve-budget.ts';
import { settleBudget } from './settle-budget.ts';
import { storeAnswer } from './store-answer.ts';
import { type Ahead, runStream } from './stream-from-provider.ts';
import { waitAtMost } from './wait-at-most.ts';

/** Below the epoch of every attempt that a workflow has asked for, which is a time. */
const EARLY_EPOCH = 1;
/** How long one that has begun early is kept for a workflow that does not come. */
const KEEP_UNASKED_MS = 10_000;
const YES = Promise.resolve(true);

export interface EarlyStart {
  readonly order: GenerationOrder;
  /** Given where the log has no more than its start. */
  readonly input?: GenerationInput | undefined;
  /** Whether Temporal has given the first task of the run to this worker. Nothing is shown to a reader before. */
  readonly isOurs: Promise<boolean>;
  /** Whether that is likely: then a response that can be taken up again is begun without waiting. */
  readonly isAhead: boolean;
}

export type BeginEarly = (start: EarlyStart) => void;

type Prepared =
  | { readonly outcome: GenerationOutcome }
  | {
      readonly outcome: null;
      readonly input: GenerationInput;
      readonly looking: Promise<CacheLookUp | null>;
    };

export interface Beginning {
  beginGeneration(step: BeginStep): Promise<BegunGeneration>;
  readonly beginEarly: BeginEarly;
}

export function createBeginning(dependencies: Dependencies, running: RunningStreams): Beginning {
  const { cacheSettings, log } = dependencies;
  const reserve = reserveBudget(dependencies);
  const settle = settleBudget(dependencies);
  const store = storeAnswer(dependencies);
  const early = new Map<string, Promise<BegunGeneration | null>>();

  const finish = async (order: GenerationOrder, outcome: GenerationOutcome): Promise<BegunGeneration> => {
    const { warnings } = await settle({ order, outcome });
    if (!cacheUseOf(order.cache).writes || outcome.cached) {
      return { next: 'ended', outcome, storeFailed: false, warnings };
    }
    const stored = await store({ order, outcome }).then(
      () => true,
      () => false,
    );
    return { next: 'ended', outcome, storeFailed: !stored, warnings };
  };

  /** Whatever goes wrong with the cache, the generation goes on without it. */
  const lookUp = async (order: GenerationOrder, given: Given, mayPay: Promise<boolean>) => {
    // A judge is paid.
    if (cacheSettings(order.route).judge && !(await mayPay)) return null;
    return lookUpCache(dependencies, order, given).catch(() => null);
  };
  const replay = (order: GenerationOrder, found: CacheLookUp) =>
    replayAnswer(dependencies, order, found).catch(() => null);

  /** By what is asked for: what is granted may be less. */
  const enter = async (
    order: GenerationOrder,
    candidate: Candidate,
    input: GenerationInput,
    epochMs: number,
  ) => {
    const inputTokens = await worstSentTokens(input, dependencies.countTexts);
    const reservedTokens = inputTokens + order.maxOutputTokens;
    return enterGate(dependencies, { order, candidate, reservedTokens, isLast: isOnly(order) }, epochMs);
  };

  const stream = async (
    order: GenerationOrder,
    epochMs: number,
    { outcome: reservation, sent, compressed }: PreparedReservation,
    ahead: Pick<Ahead, 'admission' | 'mayShow'>,
  ): Promise<BegunGeneration> => {
    const told = compressed === undefined ? {} : { compressed };
    const giveBack = () => ahead.admission?.then(leaveUnused, () => undefined);
    if (!reservation.granted) {
      giveBack();
      return { next: 'refuse', refusal: reservation, ...told };
    }
    const [candidate] = order.candidates;
    if (candidate === undefined) return { next: 'stream', reservation, waitMs: 0, ...told };
    const { granted: _, ...reserved } = reservation;
    const step: StreamStep = { order, candidate, ...reserved, isLast: isOnly(order) };
    let isJoined = true;
    const streaming = running.joinOrStart(step, epochMs, (control) => {
      isJoined = false;
      return runStream(dependencies, step, control, { ...ahead, sent });
    });
    if (isJoined) giveBack();
    try {
      // A stream that goes on for longer than a workflow task may be held is adopted by an activity.
      const outcome = await waitAtMost(LIMITS.adoptStreamAfterMs, streaming.outcome);
      if (outcome === null) return { next: 'stream', reservation, waitMs: 0, ...told };
      running.claim(step);
      return { ...(await finish(order, outcome)), ...told };
    } catch (error) {
      running.claim(step);
      // Its epoch is part of the step, so every retry would be refused too; that of the activity comes later.
      if (isFenced(error)) return { next: 'stream', reservation, waitMs: 0, ...told };
      if (!(error instanceof ApplicationFailure) || !isErrorCode(error.type)) throw error;
      if (error.nonRetryable !== true) {
        return { next: 'stream', reservation, waitMs: Number(error.nextRetryDelay ?? 0), ...told };
      }
      const failure = { code: error.type, message: error.message, ...readFailureFacts(error.details) };
      return { next: 'fall-back', reservation, failure, ...told };
    }
  };

  /** Whether another worker that is given the run after all can go on with the response instead of paying for a second. */
  const canBeTakenUp = ({ candidates: [first] }: GenerationOrder): boolean =>
    first !== undefined &&
    dependencies.providers.get(first.provider)?.capabilities(first.model).reattach === true;

  /** Begins to look for a stored answer; pays and writes nothing. */
  const prepare = async (
    order: GenerationOrder,
    given: GenerationInput | undefined,
    mayPay: Promise<boolean>,
  ): Promise<Prepared> => {
    const { generationId } = order;
    const [input, events] =
      given === undefined
        ? await Promise.all([log.readInput(generationId), log.read(generationId, -1)])
        : [given, []];
    // Repeated after a crash, it may find that all is said.
    const { outcome } = readRecord(events);
    if (outcome !== null) return { outcome };
    if (input === null) throw permanent('input_lost', 'The input of this generation is no longer stored.');
    return { outcome, input, looking: lookUp(order, { input, events }, mayPay) };
  };

  const begin = async (
    order: GenerationOrder,
    epochMs: number,
    prepared: Prepared,
    mayShow: Promise<boolean>,
  ): Promise<BegunGeneration> => {
    if (prepared.outcome !== null) return finish(order, prepared.outcome);
    const { input, looking } = prepared;
    // Nobody else may have an answer to it, so its place at the provider is taken beside the reservation.
    const isPlain = !cacheUseOf(order.cache).reads && input.compression === undefined;
    const [first] = order.candidates;
    const admission = isPlain && first !== undefined ? enter(order, first, input, epochMs) : undefined;
    const [found, reserved] = await Promise.all([looking, reserve(order, input)]);
    if (found?.outcome === 'hit' && !(await mayShow)) throw notOurs();
    const cached = found === null ? null : await replay(order, found);
    return cached === null ? stream(order, epochMs, reserved, { admission, mayShow }) : finish(order, cached);
  };

  const beginAhead = async ({ order, input, isOurs, isAhead }: EarlyStart) => {
    const prepared = await prepare(order, input, isOurs);
    if (!(isAhead && canBeTakenUp(order)) && !(await isOurs)) return null;
    const begun = await begin(order, EARLY_EPOCH, prepared, isOurs);
    return (await isOurs) ? begun : null;
  };

  return {
    async beginGeneration({ order, epochMs }) {
      const log = nameOfLog(order);
      const joined = early.get(log);
      early.delete(log);
      return (await joined) ?? begin(order, epochMs, await prepare(order, undefined, YES), YES);
    },

    beginEarly(start) {
      const log = nameOfLog(start.order);
      const begun = beginAhead(start);
      early.set(log, begun);
      const forget = () => {
        if (early.get(log) === begun) early.delete(log);
      };
      const forgetLater = () => setTimeout(forget, KEEP_UNASKED_MS).unref();
      begun.then((result) => (result === null ? forget() : forgetLater()), forgetLater);
    },
  };
}

/** Whether another process has taken the log over, by a clock that is ahead of the one that this step was given by. */
function isFenced(error: unknown): boolean {
  return error instanceof Error && 'reason' in error && error.reason === 'fenced';
}

function isOnly({ candidates }: GenerationOrder): boolean {
  return candidates.length === 1;
}
