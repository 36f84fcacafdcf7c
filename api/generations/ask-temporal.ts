/** Calls Temporal for a request, which waits for it no longer than `submit.waitForTemporalMs`. */
import {
  type Client,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { LogHead } from '../../engine/streaming/event-log.ts';
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

interface RunOnce extends Omit<WorkflowStartOptions, 'taskQueue' | 'workflowIdConflictPolicy'> {
  /** When that was created for which it runs, by the clock of Redis; absent: it has one run for ever. */
  readonly createdAtMs?: () => Promise<number | undefined>;
}

/**
 * Starts a run, unless it runs or has ended: the request for it may be repeated.
 * @throws idempotency_conflict where Temporal still knows a run of the same key for what is gone; service_unavailable
 */
export async function startOnce(
  dependencies: Pick<ApiDependencies, 'config' | 'temporal'>,
  type: string,
  { createdAtMs, ...options }: RunOnce,
): Promise<void> {
  const { taskQueue } = dependencies.config.temporal;
  try {
    await askTemporal(dependencies, [WorkflowExecutionAlreadyStartedError], ({ workflow }) =>
      workflow.start(type, { ...options, taskQueue, workflowIdConflictPolicy: 'USE_EXISTING' }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const createdAt = await createdAtMs?.();
    const { closeTime } = await askTemporal(dependencies, [], ({ workflow }) =>
      workflow.getHandle(options.workflowId).describe(),
    );
    if (createdAt === undefined || !isOfEarlierLog({ closeTime }, { createdAt })) return;
    const message =
      'What this Idempotency-Key has started is deleted, or past its retention; send another key.';
    throw new UnbrokenError('idempotency_conflict', message);
  }
}

export function noAnswer(cause: unknown): UnbrokenError {
  const message = 'Temporal does not answer; send the request again.';
  return new UnbrokenError('service_unavailable', message, { cause });
}

/**
 * Whether a run wrote an earlier log of the same id: Temporal may remember runs for longer than Redis keeps logs. The
 * end of the run decides. Its start would not do: it lies within milliseconds of its log's creation, and the clocks of
 * Redis and Temporal differ by more.
 */
export function isOfEarlierLog(
  { closeTime }: { readonly closeTime?: Date | undefined },
  { createdAt }: Pick<LogHead, 'createdAt'>,
): boolean {
  return closeTime !== undefined && closeTime.getTime() < createdAt;
}
