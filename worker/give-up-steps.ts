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

/** The steps that the workflows run as `MUST_HAPPEN` or `JOB_STEP`. */
type EndlessStep =
  | 'beginGeneration'
  | 'settleBudget'
  | 'closeGeneration'
  | 'raiseOutputCap'
  | 'beginStep'
  | 'prepareItem'
  | 'recordItem'
  | 'decideStep'
  | 'endStep'
  | 'endJob'
  | 'openTick'
  | 'checkBatch'
  | 'openShard'
  | 'prepareLine'
  | 'embedLine'
  | 'recordShard'
  | 'endBatch';

/** Of a generation, of a job, or of a batch. */
type NamedStep =
  | { readonly order: { readonly tenant: string; readonly generationId: string } }
  | { readonly job: { readonly tenant: string; readonly jobId: string } }
  | { readonly tenant: string; readonly batchId: string };

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
    <Step extends NamedStep, Result>(name: EndlessStep, act: (step: Step) => Promise<Result>) =>
    async (step: Step): Promise<Result> => {
      try {
        return await act(step);
      } catch (error) {
        const { attempt } = activityInfo();
        if (!isHopeless(error, attempt)) throw error;
        const { tenant, id } = nameOf(step);
        report({ step: name, generationId: id, attempt, error });
        throw ApplicationFailure.create({
          message: `The step ${name} of ${workflowId(tenant, id)} cannot succeed; the worker's log has the reason.`,
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
    beginStep: wrap('beginStep', activities.beginStep),
    prepareItem: wrap('prepareItem', activities.prepareItem),
    recordItem: wrap('recordItem', activities.recordItem),
    decideStep: wrap('decideStep', activities.decideStep),
    endStep: wrap('endStep', activities.endStep),
    endJob: wrap('endJob', activities.endJob),
    openTick: wrap('openTick', activities.openTick),
    checkBatch: wrap('checkBatch', activities.checkBatch),
    openShard: wrap('openShard', activities.openShard),
    prepareLine: wrap('prepareLine', activities.prepareLine),
    embedLine: wrap('embedLine', activities.embedLine),
    recordShard: wrap('recordShard', activities.recordShard),
    endBatch: wrap('endBatch', activities.endBatch),
  };
}

function nameOf(step: NamedStep): { readonly tenant: string; readonly id: string } {
  if ('order' in step) return { tenant: step.order.tenant, id: step.order.generationId };
  if ('job' in step) return { tenant: step.job.tenant, id: step.job.jobId };
  return { tenant: step.tenant, id: step.batchId };
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
