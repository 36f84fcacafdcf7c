/**
 * Ends the steps that Temporal retries without a limit where no retry can help. They are retried for as long as a
 * service is away; an error that says something else, such as a script that Redis refuses or data that cannot be read,
 * comes again at every retry, and the run would hold its reservation and a worker's slot for ever. Such a step fails for
 * good: the workflow settles what it knows and fails, and alerts an operator.
 */
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import { ZodError } from 'zod';
import type { Activities } from '../activities/create-activities.ts';
import { LIMITS } from '../contracts/limits.ts';
import { workflowId } from '../contracts/names.ts';
import type { Metrics } from '../engine/telemetry/metrics.ts';
import { isRedisAway, isRedisRefusal } from '../platform/redis/redis-connection.ts';

/** The steps that the workflow runs as `MUST_HAPPEN`. */
export type EndlessStep = 'beginGeneration' | 'settleBudget' | 'closeGeneration' | 'raiseOutputCap';

export interface GivenUp {
  readonly step: EndlessStep;
  readonly generationId: string;
  readonly attempt: number;
  readonly error: unknown;
}

/** Tells an operator that a step was given up. */
export function createReportGivenUp(
  logger: Pick<Logger, 'error'>,
  metrics: Metrics | null,
): (given: GivenUp) => void {
  const count = metrics?.counter(
    'unbroken_steps_given_up_total',
    'Steps that no retry can finish: their run has failed',
    ['step'],
  );
  return ({ error, ...facts }) => {
    count?.inc({ step: facts.step });
    logger.error({ ...facts, err: error }, 'a step of a generation was given up: no retry can finish it');
  };
}

export function giveUpSteps(activities: Activities, report: (given: GivenUp) => void): Activities {
  const wrap =
    <Step extends { readonly order: { readonly tenant: string; readonly generationId: string } }, Result>(
      step: EndlessStep,
      act: (given: Step) => Promise<Result>,
    ) =>
    async (given: Step): Promise<Result> => {
      try {
        return await act(given);
      } catch (error) {
        const { attempt } = activityInfo();
        if (!isHopeless(error, attempt)) throw error;
        const { tenant, generationId } = given.order;
        report({ step, generationId, attempt, error });
        throw ApplicationFailure.create({
          message: `The step ${step} of ${workflowId(tenant, generationId)} cannot succeed; the worker's log has the reason.`,
          type: 'internal',
          nonRetryable: true,
        });
      }
    };
  return {
    ...activities,
    beginGeneration: wrap('beginGeneration', activities.beginGeneration),
    settleBudget: wrap('settleBudget', activities.settleBudget),
    closeGeneration: wrap('closeGeneration', activities.closeGeneration),
    raiseOutputCap: wrap('raiseOutputCap', activities.raiseOutputCap),
  };
}

/** Errors that the same input gives at every retry. */
const SAME_AGAIN = [ZodError, RangeError, SyntaxError, URIError] as const;

function isHopeless(error: unknown, attempt: number): boolean {
  // A step that fails on purpose has said whether it is to be retried.
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure || isRedisAway(error)) {
    return false;
  }
  if (isRedisRefusal(error) || SAME_AGAIN.some((kind) => error instanceof kind)) return true;
  return attempt >= LIMITS.oddErrorAttempts;
}
