/** `POST /v1/chat/completions`. The same `Idempotency-Key`, or the id in a header, resumes an interrupted stream. */
import type { Router } from 'express';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { parseBody, requireJson } from '../../http/read-request.ts';
import { abortPolicyOf, cancelOnAbort } from '../client-abort.ts';
import { droppedFields } from '../dropped-fields.ts';
import { waitForWholeAnswer } from '../serve.ts';
import { streamUnvoidable } from '../unvoidable-stream.ts';
import { startOrResume } from '../wire.ts';
import { chatErrorFrame } from './errors.ts';
import { ChatProjection, wholeChat } from './project.ts';
import { chatCompletionSchema, mapChatRequest } from './request.ts';

const NO_COMPLETIONS =
  'The legacy completions API is not offered: send messages to POST /v1/chat/completions, or input to POST /v1/responses.';

export function addChatRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.post('/chat/completions', async (request, response) => {
    requireJson(request);
    const policy = abortPolicyOf(dependencies, request);
    const body = parseBody(request, chatCompletionSchema);
    const wire = mapChatRequest(dependencies.config, body);
    const head = await startOrResume(dependencies, callerIn(response), wire, request);
    const dropped = droppedFields(dependencies, wire.request);
    if (policy === 'cancel') cancelOnAbort(dependencies, response, head);
    if (body.stream === true) {
      const includeUsage = body.stream_options?.include_usage === true;
      await streamUnvoidable(dependencies, response, {
        head,
        dropped,
        projection: new ChatProjection({ model: body.model, includeUsage }),
        encode: (chunk) => `data: ${JSON.stringify(chunk)}\n\n`,
        encodeError: (error) => chatErrorFrame(error, head.generationId),
        last: 'data: [DONE]\n\n',
      });
      return;
    }
    const answer = await waitForWholeAnswer(dependencies, response, head.generationId, dropped);
    if (answer !== null) response.json(wholeChat(body.model, answer));
  });
  v1.post('/completions', () => {
    throw new UnbrokenError('not_found', NO_COMPLETIONS);
  });
}
