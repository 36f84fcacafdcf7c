/** Cancels the run of a generation. Idempotent: one that has ended cannot be cancelled, and need not be. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { UnbrokenError } from '../../contracts/errors.ts';
import { workflowId } from '../../contracts/names.ts';
import type { ApiDependencies } from '../dependencies.ts';

export async function cancelRun(
  { log, temporal, config }: Pick<ApiDependencies, 'log' | 'temporal' | 'config'>,
  { tenant, generationId }: { readonly tenant: string; readonly generationId: string },
): Promise<void> {
  // A stream that runs learns it by its next append; Temporal ends the generation wherever it stands.
  await log.requestCancel(generationId);
  try {
    const run = temporal.workflow.getHandle(workflowId(tenant, generationId));
    // A server that is stopped answers nothing at all.
    const deadline = Date.now() + config.submit.waitForTemporalMs;
    await temporal.connection.withDeadline(deadline, () => run.cancel());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return;
    throw new UnbrokenError('service_unavailable', 'Temporal does not answer.', { cause: error });
  }
}
