/**
 * Calls Temporal about the run of a generation. That Temporal has no such run is a result and not an error: the run has
 * not started yet, or is past Temporal's retention. Every other failure is an outage.
 */
import { type Client, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import { UnbrokenError } from '../../contracts/errors.ts';
import { workflowId } from '../../contracts/names.ts';

export type WorkflowHandles = Pick<Client['workflow'], 'getHandle'>;

export interface RunName {
  readonly tenant: string;
  readonly generationId: string;
}

/** @returns null when there is no run. @throws service_unavailable */
export async function ifRunExists<Result>(
  workflows: WorkflowHandles,
  { tenant, generationId }: RunName,
  use: (run: WorkflowHandle) => Promise<Result>,
): Promise<Result | null> {
  try {
    return await use(workflows.getHandle(workflowId(tenant, generationId)));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw temporalUnavailable(error);
  }
}

export function temporalUnavailable(cause: unknown): UnbrokenError {
  return new UnbrokenError('service_unavailable', 'Temporal does not answer.', { cause });
}
