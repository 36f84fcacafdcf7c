/** `POST /v1/generations/:id/cancel`: stops the provider call and bills the partial answer. Idempotent. */
import type { RequestHandler } from 'express';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { cancelRun } from '../generations/cancel-run.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { readView } from '../generations/generation-view.ts';

export function cancelGeneration(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const head = await findGeneration(dependencies, callerIn(response), request.params.id);
    await cancelRun(dependencies, head);
    response.status(202).json(await readView(dependencies.log, head.generationId, { withText: false }));
  };
}
