/** `POST /v1/chat/completions`. The same `Idempotency-Key`, or the id in a header, takes a cut stream up again. */
import type { Router } from 'express';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { parseBody, requireJson } from '../../http/read-request.ts';
import { abortPolicyOf, cancelOnAbort } from '../client-abort.ts';
import { waitForWholeAnswer } from '../serve.ts';
import { streamUnvoidable } from '../unvoidable-stream.ts';
import { beginOrTakeUp } from '../wire.ts';
import { inBandError } from './errors.ts';
import { projectChat, wholeChat } from './project.ts';
import { chatCompletionSchema, toGeneration } from './request.ts';

export function addChatRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.post('/chat/completions', async (request, response) => {
    requireJson(request);
    const policy = abortPolicyOf(dependencies, request);
    const body = parseBody(request, chatCompletionSchema);
    const wire = toGeneration(dependencies.config, body);
    const head = await beginOrTakeUp(dependencies, callerIn(response), wire, request);
    if (policy === 'cancel') cancelOnAbort(dependencies, response, head);
    if (body.stream === true) {
      const includeUsage = body.stream_options?.include_usage === true;
      await streamUnvoidable(dependencies, response, {
        head,
        projection: projectChat({ model: body.model, includeUsage }),
        encode: (chunk) => `data: ${JSON.stringify(chunk)}\n\n`,
        encodeError: (error) => inBandError(error, head.generationId),
        last: 'data: [DONE]\n\n',
      });
      return;
    }
    const answer = await waitForWholeAnswer(dependencies, response, head.generationId);
    if (answer !== null) response.json(wholeChat(body.model, answer));
  });
}
