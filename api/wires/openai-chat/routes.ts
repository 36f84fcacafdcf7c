/** `POST /v1/chat/completions`. The same `Idempotency-Key`, or the id in a header, resumes an interrupted stream. */
import type { Response, Router } from 'express';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { LogHead } from '../../../engine/streaming/event-log.ts';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { parseBody, requireJson } from '../../http/read-request.ts';
import { cancelChoices, startOrResumeChoices } from '../choices.ts';
import { abortPolicyOf, cancelOnAbort } from '../client-abort.ts';
import { type DroppedFields, droppedFields } from '../dropped-fields.ts';
import { streamUnvoidable } from '../unvoidable-stream.ts';
import { waitForWholeAnswers } from '../wait-for-answer.ts';
import { chatErrorFrame } from './errors.ts';
import { usesFunctions } from './functions.ts';
import { ChatProjection, wholeChat } from './project.ts';
import { type ChatCompletionRequest, chatCompletionSchema, mapChatRequest } from './request.ts';

const NO_COMPLETIONS =
  'The legacy completions API is not offered: send messages to POST /v1/chat/completions, or input to POST /v1/responses.';

interface ChatExchange {
  readonly body: ChatCompletionRequest;
  /** Of the generations of its choices. */
  readonly heads: readonly [LogHead, ...LogHead[]];
  readonly dropped: DroppedFields;
}

export function addChatRoutes(v1: Router, dependencies: ApiDependencies): void {
  v1.post('/chat/completions', async (request, response) => {
    requireJson(request);
    const policy = abortPolicyOf(dependencies, request);
    const body = parseBody(request, chatCompletionSchema);
    const wire = mapChatRequest(dependencies.config, body);
    const heads = await startOrResumeChoices(dependencies, callerIn(response), wire, request);
    const dropped = droppedFields(dependencies, wire.request);
    if (policy === 'cancel') cancelOnAbort(dependencies, response, ...heads);
    try {
      await (body.stream === true ? stream : answerWhole)(dependencies, response, { body, heads, dropped });
    } catch (error) {
      if (!response.closed) await cancelChoices(dependencies, heads);
      throw error;
    }
  });
  v1.post('/completions', () => {
    throw new UnbrokenError('not_found', NO_COMPLETIONS);
  });
}

async function stream(
  dependencies: ApiDependencies,
  response: Response,
  { body, heads, dropped }: ChatExchange,
): Promise<void> {
  const { model, stream_options: options } = body;
  const [head, ...otherHeads] = heads;
  const { generationId: firstId } = head;
  const includeUsage = options?.include_usage === true;
  const context = { model, includeUsage, firstId, usesFunctions: usesFunctions(body) };
  const projectionOf = (index: number) => new ChatProjection({ ...context, index });
  const projection = projectionOf(0);
  const others = otherHeads.map((own, place) => ({ head: own, projection: projectionOf(place + 1) }));
  const encode = (chunk: object) => `data: ${JSON.stringify(chunk)}\n\n`;
  const failure = await streamUnvoidable(dependencies, response, {
    head,
    projection,
    others,
    dropped,
    encode,
    encodeError: (error) => chatErrorFrame(error, firstId),
    last: () => {
      const usage = projection.usageChunks(others.map((other) => other.projection));
      return `${usage.map(encode).join('')}data: [DONE]\n\n`;
    },
  });
  // What one reader cannot be shown is there for the next.
  if (failure !== null && failure.code !== 'text_voided') await cancelChoices(dependencies, heads);
}

async function answerWhole(
  dependencies: ApiDependencies,
  response: Response,
  { body, heads, dropped }: ChatExchange,
): Promise<void> {
  const ids = heads.map(({ generationId }) => generationId);
  const askedFor = { model: body.model, usesFunctions: usesFunctions(body) };
  const answers = await waitForWholeAnswers(dependencies, response, ids, dropped);
  if (answers !== null) response.json(wholeChat(askedFor, answers));
}
