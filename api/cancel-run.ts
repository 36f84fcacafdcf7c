/** Cancels the run of a generation. Idempotent: one that has ended cannot be cancelled, and need not be. */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { UnbrokenError } from '../contracts/errors.ts';
import { workflowId } from '../contracts/names.ts';

export async function cancelRun(
  temporal: Client,
  { tenant, generationId }: { readonly tenant: string; readonly generationId: string },
): Promise<void> {
  try {
    await temporal.workflow.getHandle(workflowId(tenant, generationId)).cancel();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return;
    throw new UnbrokenError('service_unavailable', 'Temporal does not answer.', { cause: error });
  }
}
