/** Starts the run of a generation: by a worker that is free, else at Temporal itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { UnbrokenError } from '../contracts/errors.ts';
import { WORKFLOW_TYPE } from '../contracts/names.ts';
import type { NewRun, OfferedRun } from '../handoff/handoff.ts';
import { runOptions } from '../handoff/run-options.ts';
import type { ApiDependencies } from './dependencies.ts';

const TEMPORAL_AGAIN_MS = 100;

type Starting = Pick<ApiDependencies, 'temporal' | 'config' | 'handoff'>;

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

async function startAtTemporal({ temporal, config }: Starting, run: NewRun): Promise<void> {
  const options = runOptions(run, config.temporal.taskQueue);
  const deadline = Date.now() + config.submit.waitForTemporalMs;
  for (;;) {
    try {
      // A server that is stopped answers nothing at all: without a limit the caller would wait for ever.
      await temporal.connection.withDeadline(deadline, () => temporal.workflow.start(WORKFLOW_TYPE, options));
      return;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return;
      if (Date.now() + TEMPORAL_AGAIN_MS >= deadline) {
        const message = 'Temporal does not answer; send the request again.';
        throw new UnbrokenError('service_unavailable', message, { cause: error });
      }
      await sleep(TEMPORAL_AGAIN_MS);
    }
  }
}
