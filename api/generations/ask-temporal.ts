/** Calls Temporal for a request, which waits for it no longer than `submit.waitForTemporalMs`. */
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';

type ErrorClass = new (...facts: never[]) => Error;

/**
 * @param answers errors by which Temporal answers: they are thrown as they are. Any other is an outage.
 * @throws service_unavailable
 */
export async function askTemporal<Result>(
  { temporal, config }: Pick<ApiDependencies, 'config' | 'temporal'>,
  answers: readonly ErrorClass[],
  ask: (client: Client) => Promise<Result>,
): Promise<Result> {
  try {
    // A stopped server never answers, so every call has a deadline.
    return await temporal.connection.withDeadline(Date.now() + config.submit.waitForTemporalMs, () =>
      ask(temporal),
    );
  } catch (error) {
    throw answers.some((kind) => error instanceof kind) ? error : noAnswer(error);
  }
}

/** Starts a run, unless it runs or has ended: the request for it may be repeated. @throws service_unavailable */
export async function startOnce(
  dependencies: Pick<ApiDependencies, 'config' | 'temporal'>,
  type: string,
  options: Omit<WorkflowStartOptions, 'taskQueue' | 'workflowIdConflictPolicy'>,
): Promise<void> {
  const { taskQueue } = dependencies.config.temporal;
  try {
    await askTemporal(dependencies, [WorkflowExecutionAlreadyStartedError], ({ workflow }) =>
      workflow.start(type, { ...options, taskQueue, workflowIdConflictPolicy: 'USE_EXISTING' }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

export function noAnswer(cause: unknown): UnbrokenError {
  const message = 'Temporal does not answer; send the request again.';
  return new UnbrokenError('service_unavailable', message, { cause });
}
