/** `POST /v1/messages` and `POST /v1/messages/count_tokens`, as Anthropic's clients call them. */
import type { Router } from 'express';
import { roughInputTokens } from '../../../contracts/tokens.ts';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { requestIdOf } from '../../http/front-door.ts';
import { parseBody, requireJson } from '../../http/read-request.ts';
import { abortPolicyOf, cancelOnAbort } from '../client-abort.ts';
import { countInput } from '../count-input.ts';
import { droppedFields } from '../dropped-fields.ts';
import { streamUnvoidable } from '../unvoidable-stream.ts';
import { waitForWholeAnswer } from '../wait-for-answer.ts';
import { startOrResume, type WireRequest } from '../wire.ts';
import { toAnthropicError } from './errors.ts';
import { MessageProjection, wholeMessage, withoutContent } from './project.ts';
import {
  betasIn,
  countTokensSchema,
  mapMessagesInput,
  mapMessagesRequest,
  messagesSchema,
} from './request.ts';

export function addMessagesRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.post('/messages', async (request, response) => {
    requireJson(request);
    const policy = abortPolicyOf(dependencies, request);
    const body = parseBody(request, messagesSchema);
    const betas = betasIn(request.get('anthropic-beta'));
    const wire = mapMessagesRequest(dependencies.config, body, betas);
    const head = await startOrResume(dependencies, callerIn(response), wire, request);
    const dropped = droppedFields(dependencies, wire.request);
    if (policy === 'cancel') cancelOnAbort(dependencies, response, head);
    if (body.stream === true) {
      await streamUnvoidable(dependencies, response, {
        head,
        dropped,
        projection: new MessageProjection(body.model, roughInputOf(wire.request)),
        encode: (event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
        encodeError: (error) => {
          const { error: own, ...rest } = toAnthropicError(error, requestIdOf(response));
          const data = { ...rest, error: { ...own, generation_id: head.generationId } };
          return `event: error\ndata: ${JSON.stringify(data)}\n\n`;
        },
        last: () => '',
      });
      return;
    }
    const answer = await waitForWholeAnswer(dependencies, response, head.generationId, dropped);
    if (answer === null) return;
    const message = wholeMessage(body.model, answer);
    response.json(body.max_tokens === 0 ? withoutContent(message) : message);
  });

  v1.post('/messages/count_tokens', async (request, response) => {
    requireJson(request);
    const body = parseBody(request, countTokensSchema);
    response.setHeader('x-unbroken-estimated', 'true');
    const { input, system, tools } = mapMessagesInput(body);
    const messages = Array.isArray(input) ? input : [];
    const tokens = await countInput(dependencies.countTexts, { system, messages, tools });
    response.json({ input_tokens: tokens });
  });
}

/** The vendor's stream begins with the count of the input, and some clients read it nowhere else. */
function roughInputOf({ system, input, tools }: WireRequest['request']): number {
  const messages = typeof input === 'string' ? [{ role: 'user' as const, content: input }] : (input ?? []);
  return roughInputTokens({
    messages,
    ...(system === undefined ? {} : { system }),
    ...(tools === undefined ? {} : { tools }),
  });
}
