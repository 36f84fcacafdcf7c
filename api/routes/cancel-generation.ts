/** `POST /v1/generations/:id/cancel`: stops the provider's call and bills the partial answer. Idempotent. */
import type { RequestHandler } from 'express';
import { callerIn } from '../authenticate.ts';
import { cancelRun } from '../cancel-run.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { findGeneration } from '../find-generation.ts';
import { readView } from '../generation-view.ts';

export function cancelGeneration(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const head = await findGeneration(dependencies, callerIn(response), request.params.id);
    await cancelRun(dependencies, head);
    response.status(202).json(await readView(dependencies.log, head.generationId, { withText: false }));
  };
}
