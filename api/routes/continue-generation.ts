/** `POST /v1/generations/:id/continue`: 201 with the generation that goes on, or its stream at once. */
import type { RequestHandler } from 'express';
import { continueRequestSchema } from '../../contracts/generation.ts';
import { callerIn } from '../authenticate.ts';
import { checked } from '../checked.ts';
import { continueGeneration } from '../continue-generation.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { answerCreated } from './create-generation.ts';

export function continueRoute(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const body = checked(continueRequestSchema, request.body ?? {});
    const { generationId } = await continueGeneration(
      dependencies,
      callerIn(response),
      request.params.id,
      body,
      request.get('idempotency-key'),
    );
    await answerCreated(dependencies, generationId, body.stream === true, response);
  };
}
