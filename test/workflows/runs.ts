/** The runs whose histories are recorded and replayed. */

import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../activities/create-activities.ts';
import { ERRORS, type ErrorCode } from '../../contracts/errors.ts';
import type { GenerationOrder } from '../../contracts/generation.ts';
import { waitFor } from '../harness/wait-for.ts';
import {
  FIRST,
  orderOf,
  outcomeWith,
  startGeneration,
  stubActivities,
  type WorkflowEnvironment,
} from './workflow-environment.ts';

/** The first candidate fails for good with this code; the others answer. */
export function firstFails(code: ErrorCode): Partial<Activities> {
  return {
    streamFromProvider: async ({ candidate }) => {
      if (candidate.provider !== FIRST.provider) return outcomeWith(candidate);
      throw ApplicationFailure.create({ type: code, message: ERRORS[code].fix, nonRetryable: true });
    },
  };
}

/** The stream runs until it is cancelled. */
export const endless: Partial<Activities> = {
  streamFromProvider: async () => {
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), 50);
    return context.cancelled.finally(() => clearInterval(beat));
  },
};

/** The stream is silent, as one is whose worker has died, and so is the wait for room; both until the run settles. */
export function silent(): Partial<Activities> {
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  return {
    streamFromProvider: ({ candidate }) => isOver.then(() => outcomeWith(candidate)),
    waitForRoom: () => isOver.then(() => ({ restMs: 0 })),
    settleBudget: async () => {
      end();
      return { warnings: [] };
    },
  };
}

/** The stream runs until it is cancelled, and then fails with an error of its provider. */
export function failsWhenCancelled(code: ErrorCode): Partial<Activities> {
  return {
    streamFromProvider: async () => {
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 50);
      await context.cancelled.catch(() => clearInterval(beat));
      throw ApplicationFailure.create({ type: code, message: ERRORS[code].fix });
    },
  };
}

type Handle = Awaited<ReturnType<typeof startGeneration>>;

/**
 * Runs one generation to its end and gives its result, the steps that were called, and its history.
 * @param interrupt what is done to one once it streams; by default only one whose stream is endless is cancelled
 */
export async function runGeneration(
  environment: WorkflowEnvironment,
  changed: Partial<Activities> = {},
  facts: Partial<GenerationOrder> = {},
  interrupt: ((handle: Handle) => Promise<unknown>) | null = changed === endless
    ? (handle) => handle.cancel()
    : null,
) {
  const { activities, calls } = stubActivities(changed);
  return environment.withWorker(activities, async (taskQueue) => {
    const handle = await startGeneration(environment, taskQueue, orderOf(facts));
    if (interrupt !== null) {
      await waitFor('it streams, or waits for room', () =>
        calls.some((call) => /^(?:streamFromProvider|waitForRoom)/.test(call)),
      );
      await interrupt(handle);
    }
    const outcome = await handle.result();
    return { outcome, calls, history: await handle.fetchHistory() };
  });
}

export const RECORDED_RUNS = {
  plain: (environment: WorkflowEnvironment) => runGeneration(environment, {}, { cache: 'on' }),
  fallback: (environment: WorkflowEnvironment) =>
    runGeneration(environment, firstFails('provider_unavailable')),
  cancelled: (environment: WorkflowEnvironment) => runGeneration(environment, endless),
  /** Recorded by code that tried the next candidate, and was refused there. */
  cancelledWithError: (environment: WorkflowEnvironment) =>
    runGeneration(environment, failsWhenCancelled('provider_unavailable'), {}, (handle) => handle.cancel()),
};
