/**
 * Stops the endless retries of a step that can never succeed. Temporal retries these steps without a limit, because a
 * service may be unreachable for long. Any other error, such as a script that Redis refuses or data that cannot be
 * read, repeats at every retry, and the run would hold its reservation and a worker's slot forever. Such a step fails
 * permanently: the workflow settles what it knows and fails, which alerts an operator.
 */
import { AssertionError } from 'node:assert';
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
type EndlessStep = 'beginGeneration' | 'settleBudget' | 'closeGeneration' | 'raiseOutputCap';

export interface GivenUp {
  readonly step: EndlessStep;
  readonly generationId: string;
  readonly attempt: number;
  readonly error: unknown;
}

/** Counts and logs a step that was given up, for an operator. */
export function createReportGivenUp(
  logger: Pick<Logger, 'error'>,
  metrics: Metrics | null,
): (step: GivenUp) => void {
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

export function giveUpSteps(activities: Activities, report: (step: GivenUp) => void): Activities {
  const wrap =
    <Step extends { readonly order: { readonly tenant: string; readonly generationId: string } }, Result>(
      name: EndlessStep,
      act: (step: Step) => Promise<Result>,
    ) =>
    async (step: Step): Promise<Result> => {
      try {
        return await act(step);
      } catch (error) {
        const { attempt } = activityInfo();
        if (!isHopeless(error, attempt)) throw error;
        const { tenant, generationId } = step.order;
        report({ step: name, generationId, attempt, error });
        throw ApplicationFailure.create({
          message: `The step ${name} of ${workflowId(tenant, generationId)} cannot succeed; the worker's log has the reason.`,
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

/** Errors that the same input causes at every retry. */
const DETERMINISTIC = [AssertionError, ZodError, RangeError, SyntaxError, URIError] as const;

function isHopeless(error: unknown, attempt: number): boolean {
  // A step that fails deliberately says itself whether it must be retried.
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure || isRedisAway(error)) {
    return false;
  }
  if (isRedisRefusal(error) || DETERMINISTIC.some((kind) => error instanceof kind)) return true;
  return attempt >= LIMITS.oddErrorAttempts;
}
