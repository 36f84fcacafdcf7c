/** Starts the run of a generation: by a worker that is free, else at Temporal itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { GenerationOrder } from '../../contracts/generation.ts';
import { WORKFLOW_TYPE, workflowId } from '../../contracts/names.ts';
import type { NewRun } from '../../contracts/steps.ts';
import type { OfferedRun } from '../../engine/handoff/handoff.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
import { runOptions } from '../../platform/temporal/run-options.ts';
import type { ApiDependencies } from '../dependencies.ts';

const TEMPORAL_AGAIN_MS = 100;

type Starting = Pick<ApiDependencies, 'temporal' | 'config' | 'handoff' | 'log'>;

interface Startable extends OfferedRun {
  /** false where the run may have been started before: then no worker is bothered. */
  readonly isNew: boolean;
  /** Resolves when the log is there; a run without one would have nothing to write to. */
  readonly logCreated: Promise<unknown>;
}

export async function startRun(
  dependencies: Starting,
  { isNew, logCreated, ...run }: Startable,
): Promise<void> {
  // Sent behind the creation on one connection: a worker that takes it finds the log.
  if (isNew && (await dependencies.handoff.offer(run))) return;
  await logCreated;
  await startAtTemporal(dependencies, run);
}

async function startAtTemporal(dependencies: Starting, run: NewRun): Promise<void> {
  const deadline = Date.now() + dependencies.config.submit.waitForTemporalMs;
  for (;;) {
    try {
      await startWithin(dependencies, run, deadline);
      return;
    } catch (error) {
      if (Date.now() + TEMPORAL_AGAIN_MS >= deadline) {
        const message = 'Temporal does not answer; send the request again.';
        throw new UnbrokenError('service_unavailable', message, { cause: error });
      }
      await sleep(TEMPORAL_AGAIN_MS);
    }
  }
}

async function startWithin(dependencies: Starting, run: NewRun, deadline: number): Promise<void> {
  const { temporal, config } = dependencies;
  // A server that is stopped answers nothing at all: without a limit the caller would wait for ever.
  const within = <Answer>(ask: () => Promise<Answer>) => temporal.connection.withDeadline(deadline, ask);
  const start = (order: GenerationOrder) => {
    const options = runOptions({ ...run, order }, config.temporal.taskQueue);
    return within(() => temporal.workflow.start(WORKFLOW_TYPE, options));
  };
  const { tenant, generationId } = run.order;
  try {
    await start(run.order);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const [head, earlier] = await Promise.all([
      dependencies.log.head(generationId),
      within(() => temporal.workflow.getHandle(workflowId(tenant, generationId)).describe()),
    ]);
    if (head === null || !isOfEarlierLog(earlier, head)) return;
    await start({ ...run.order, logCreatedAtMs: head.createdAt, againSinceMs: head.createdAt });
  }
}

/**
 * Whether a run wrote an earlier log of the same id, which is past its retention: Temporal may remember a run for longer.
 * A run starts within milliseconds of its log's creation, so the clocks of Redis and Temporal could not tell by its start;
 * it ends well after it.
 */
export function isOfEarlierLog(
  { closeTime }: { readonly closeTime?: Date | undefined },
  { createdAt }: Pick<LogHead, 'createdAt'>,
): boolean {
  return closeTime !== undefined && closeTime.getTime() < createdAt;
}
