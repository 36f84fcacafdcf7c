/** `POST /v1/generations/:id/continue`: 201 with the generation that continues it, or its stream. */
import type { RequestHandler } from 'express';
import { continueRequestSchema } from '../../contracts/generation.ts';
import { callerIn } from '../access/authenticate.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { continueGeneration } from '../generations/continue-generation.ts';
import { parseBody } from '../http/read-request.ts';
import { answerCreated } from './create-generation.ts';

export function continueRoute(dependencies: ApiDependencies): RequestHandler<{ id: string }> {
  return async (request, response) => {
    const body = parseBody(request, continueRequestSchema);
    const submitted = await continueGeneration(dependencies, callerIn(response), {
      id: request.params.id,
      request: body,
      idempotencyKey: request.get('idempotency-key'),
    });
    await answerCreated(dependencies, response, { submitted, isStream: body.stream === true });
  };
}
