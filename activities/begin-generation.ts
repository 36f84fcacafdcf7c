/**
 * The first steps of a generation in one local activity: cache and budget side by side, then the first candidate's
 * stream. An answer that is whole soon costs Temporal one workflow task in all. A longer one runs on in this process,
 * and the activity `streamFromProvider` adopts it: a local activity holds a workflow task and cannot heartbeat.
 */
import { ApplicationFailure } from '@temporalio/common';
import { cacheUseOf } from '../contracts/cache-mode.ts';
import { isErrorCode } from '../contracts/errors.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import {
  type BeginStep,
  type BegunGeneration,
  failureFacts,
  type GenerationOutcome,
  type StreamStep,
} from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';
import { lookUpCache } from './look-up-cache.ts';
import { reserveBudget } from './reserve-budget.ts';
import type { RunningStreams } from './running-streams.ts';
import { settleBudget } from './settle-budget.ts';
import { storeAnswer } from './store-answer.ts';
import { runStream } from './stream-from-provider.ts';

export function beginGeneration(dependencies: Dependencies, running: RunningStreams) {
  const reserve = reserveBudget(dependencies);
  const settle = settleBudget(dependencies);
  const store = storeAnswer(dependencies);
  const lookUp = lookUpCache(dependencies);

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

  return async ({ order, epochMs }: BeginStep): Promise<BegunGeneration> => {
    const [cached, { outcome: reservation, compressed }] = await Promise.all([
      tryCache(order),
      reserve(order),
    ]);
    const told = compressed === undefined ? {} : { compressed };
    if (cached !== null) return finish(order, cached);
    if (!reservation.granted) return { next: 'refuse', refusal: reservation, ...told };
    const [candidate] = order.candidates;
    if (candidate === undefined) return { next: 'stream', reservation, waitMs: 0, ...told };
    const { granted: _, ...reserved } = reservation;
    const step: StreamStep = { order, candidate, ...reserved, isLast: order.candidates.length === 1 };
    const stream = running.joinOrStart(step, epochMs, (control) => runStream(dependencies, step, control));
    try {
      const outcome = await inTime(stream.outcome);
      if (outcome === null) return { next: 'stream', reservation, waitMs: 0, ...told };
      running.claim(step);
      return { ...(await finish(order, outcome)), ...told };
    } catch (error) {
      running.claim(step);
      if (!(error instanceof ApplicationFailure) || !isErrorCode(error.type)) throw error;
      if (error.nonRetryable !== true) {
        return { next: 'stream', reservation, waitMs: Number(error.nextRetryDelay ?? 0), ...told };
      }
      const failure = { code: error.type, message: error.message, ...failureFacts(error.details) };
      return { next: 'fall-back', reservation, failure, ...told };
    }
  };

  async function tryCache(order: GenerationOrder): Promise<GenerationOutcome | null> {
    if (!cacheUseOf(order.cache).reads) return null;
    // Whatever goes wrong with the cache, the generation goes on without it.
    return lookUp(order).then(
      ({ hit }) => hit,
      () => null,
    );
  }
}

/** The outcome, or null where the stream goes on for longer than a workflow task may be held. */
function inTime(outcome: Promise<GenerationOutcome>): Promise<GenerationOutcome | null> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(null), LIMITS.adoptStreamAfterMs);
    outcome.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
