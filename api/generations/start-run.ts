/** Starts the run of a generation: through a free worker, or else directly at Temporal. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { GenerationOrder } from '../../contracts/generation.ts';
import { WORKFLOW_TYPE, workflowId } from '../../contracts/names.ts';
import type { NewRun } from '../../contracts/steps.ts';
import type { OfferedRun } from '../../engine/handoff/handoff.ts';
import { runOptions } from '../../platform/temporal/run-options.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { isOfEarlierLog, noAnswer } from './ask-temporal.ts';

const TEMPORAL_RETRY_MS = 100;

type Dependencies = Pick<ApiDependencies, 'temporal' | 'config' | 'handoff' | 'log'>;

interface RunToStart extends OfferedRun {
  /** false if the run may have started already: then it is not offered to workers. */
  readonly isNew: boolean;
  /** Resolves when the log exists, which the run writes to. */
  readonly logCreated: Promise<unknown>;
}

export async function startRun(
  dependencies: Dependencies,
  { isNew, logCreated, ...run }: RunToStart,
): Promise<void> {
  // Sent after the creation on the same connection, so a worker that takes the offer finds the log.
  if (isNew && (await dependencies.handoff.offer(run))) return;
  await logCreated;
  await startAtTemporal(dependencies, run);
}

async function startAtTemporal(dependencies: Dependencies, run: NewRun): Promise<void> {
  const deadline = Date.now() + dependencies.config.submit.waitForTemporalMs;
  for (;;) {
    try {
      await startWithin(dependencies, run, deadline);
      return;
    } catch (error) {
      if (Date.now() + TEMPORAL_RETRY_MS >= deadline) throw noAnswer(error);
      await sleep(TEMPORAL_RETRY_MS);
    }
  }
}

async function startWithin(dependencies: Dependencies, run: NewRun, deadline: number): Promise<void> {
  const { temporal, config } = dependencies;
  // A stopped server never answers, so every call has a deadline.
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
