/** Cancels the run of a generation. Idempotent: one that has ended cannot be cancelled, and need not be. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { UnbrokenError } from '../contracts/errors.ts';
import { workflowId } from '../contracts/names.ts';
import type { ApiDependencies } from './dependencies.ts';

export async function cancelRun(
  { log, temporal }: Pick<ApiDependencies, 'log' | 'temporal'>,
  { tenant, generationId }: { readonly tenant: string; readonly generationId: string },
): Promise<void> {
  // A stream that runs learns it by its next append; Temporal ends the generation wherever it stands.
  await log.wishCancel(generationId);
  try {
    await temporal.workflow.getHandle(workflowId(tenant, generationId)).cancel();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return;
    throw new UnbrokenError('service_unavailable', 'Temporal does not answer.', { cause: error });
  }
}
