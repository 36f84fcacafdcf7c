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

/** The stream goes on until it is cancelled. */
export const endless: Partial<Activities> = {
  streamFromProvider: async () => {
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), 50);
    return context.cancelled.finally(() => clearInterval(beat));
  },
};

type Handle = Awaited<ReturnType<typeof startGeneration>>;

/**
 * Runs one generation to its end and gives its result, the steps that were called, and its history.
 * @param interrupt what is done to one whose stream is endless, once it streams
 */
export async function runGeneration(
  environment: WorkflowEnvironment,
  changed: Partial<Activities> = {},
  facts: Partial<GenerationOrder> = {},
  interrupt: (handle: Handle) => Promise<unknown> = (handle) => handle.cancel(),
) {
  const { activities, calls } = stubActivities(changed);
  return environment.withWorker(activities, async (taskQueue) => {
    const handle = await startGeneration(environment, taskQueue, orderOf(facts));
    if (changed === endless) {
      await waitFor('the stream has begun', () =>
        calls.some((call) => call.startsWith('streamFromProvider')),
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
};
