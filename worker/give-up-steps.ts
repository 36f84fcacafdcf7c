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

/** What Temporal retries without a limit: all that the workflows run as `MUST_HAPPEN`, `JOB_STEP` or the like. */
export const ENDLESS_STEPS = [
  'beginGeneration',
  'noteCompaction',
  'settleBudget',
  'closeGeneration',
  'raiseOutputCap',
  'giveUpWebhook',
  'beginStep',
  'prepareItem',
  'recordItem',
  'decideStep',
  'endStep',
  'endJob',
  'openTick',
  'checkBatch',
  'handOver',
  'awaitVendors',
  'keepAnswers',
  'takeAnswers',
  'openShard',
  'prepareLine',
  'embedLine',
  'recordShard',
  'endBatch',
  'completeErasure',
] as const satisfies readonly (keyof Activities)[];
type EndlessStep = (typeof ENDLESS_STEPS)[number];

/** What a step receives: the order of a generation, or what names it, a job, a batch, an erasure, or a delivery. */
type StepInput = Parameters<Activities[EndlessStep]>[0];

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
  const wrap = (name: EndlessStep) => {
    const act = activities[name] as (input: StepInput) => Promise<unknown>;
    return async (input: StepInput): Promise<unknown> => {
      try {
        return await act(input);
      } catch (error) {
        const { attempt } = activityInfo();
        if (!isHopeless(error, attempt)) throw error;
        const { tenant, id } = nameOf(input);
        report({ step: name, generationId: id, attempt, error });
        throw ApplicationFailure.create({
          message: `The step ${name} of ${workflowId(tenant, id)} cannot succeed; the worker's log has the reason.`,
          type: 'internal',
          nonRetryable: true,
        });
      }
    };
  };
  const wrapped = Object.fromEntries(ENDLESS_STEPS.map((name) => [name, wrap(name)]));
  return { ...activities, ...(wrapped as Pick<Activities, EndlessStep>) };
}

function nameOf(input: StepInput): { readonly tenant: string; readonly id: string } {
  if ('order' in input) return { tenant: input.order.tenant, id: input.order.generationId };
  if ('job' in input) return { tenant: input.job.tenant, id: input.job.jobId };
  if ('batchId' in input) return { tenant: input.tenant, id: input.batchId };
  if ('erasureId' in input) return { tenant: input.tenant, id: input.erasureId };
  return { tenant: input.tenant, id: 'deliveryId' in input ? input.deliveryId : input.generationId };
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
