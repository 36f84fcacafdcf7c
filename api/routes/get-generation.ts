/** `GET /v1/generations/:id`: its state, with the text so far. */
import type { RequestHandler } from 'express';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { findGeneration } from '../generations/find-generation.ts';
import { readView } from '../generations/generation-view.ts';

export function getGeneration(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const head = await findGeneration(dependencies, callerIn(response), request.params.id);
    response.json(await readView(dependencies.log, head.generationId, { withText: true }));
  };
}
