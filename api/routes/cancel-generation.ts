/** `POST /v1/generations/:id/cancel`: stops the provider's call and bills the partial answer. Idempotent. */
import { WorkflowNotFoundError } from '@temporalio/client';
import type { RequestHandler } from 'express';
import { UnbrokenError } from '../../contracts/errors.ts';
import { workflowId } from '../../contracts/names.ts';
import { callerIn } from '../authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { findGeneration } from '../find-generation.ts';
import { readView } from '../generation-view.ts';

export function cancelGeneration(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  const { temporal, log, config } = dependencies;
  return async (request, response) => {
    const { generationId, tenant } = await findGeneration(
      dependencies,
      callerIn(response),
      request.params.id,
    );
    // A stream that runs learns it by its next append; Temporal ends the generation wherever it stands.
    await log.wishCancel(generationId);
    try {
      const run = temporal.workflow.getHandle(workflowId(tenant, generationId));
      const deadline = Date.now() + config.submit.waitForTemporalMs;
      await temporal.connection.withDeadline(deadline, () => run.cancel());
    } catch (error) {
      // A run that has ended cannot be cancelled, and need not be.
      if (!(error instanceof WorkflowNotFoundError)) {
        throw new UnbrokenError('service_unavailable', 'Temporal does not answer.', { cause: error });
      }
    }
    response.status(202).json(await readView(log, generationId, { withText: false }));
  };
}
