/**
 * The routes that `useChat` of the AI SDK calls. `POST /v1/ui/chat` starts an answer. `GET /v1/ui/chat/:id/stream`
 * resumes: it sends the chat's newest answer from its beginning, or 204 if there is none. `DELETE` of the same path
 * cancels it.
 */
import type { Response, Router } from 'express';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { LogHead } from '../../../engine/streaming/event-log.ts';
import type { Caller } from '../../access/api-keys.ts';
import { callerIn } from '../../access/authenticate.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { cancelRun } from '../../generations/cancel-run.ts';
import { findGeneration } from '../../generations/find-generation.ts';
import { generationIdFor } from '../../generations/generation-id.ts';
import { parseBody, requireJson } from '../../http/read-request.ts';
import { abortPolicyOf, cancelOnAbort } from '../client-abort.ts';
import { streamToClient } from '../stream-to-client.ts';
import { startOrResume } from '../wire.ts';
import { earlierSteps } from './earlier-steps.ts';
import { UiProjection } from './project.ts';
import { idempotencyKeysOf, mapUiChat, type UiChat, uiChatSchema } from './request.ts';

export function addUiRoutes(v1: Router, dependencies: ApiDependencies): void {
  const { chats } = dependencies;
  const newestOf = async (response: Response, chatId: string): Promise<LogHead | null> => {
    const caller = callerIn(response);
    const generationId = await chats.find(caller, chatId);
    if (generationId === null) return null;
    const head = await findGeneration(dependencies, caller, generationId).catch((error: unknown) => {
      // The log is past its retention, or was deleted.
      if (error instanceof UnbrokenError && error.entry.status < 500) return null;
      throw error;
    });
    return head;
  };

  v1.post('/ui/chat', async (request, response) => {
    requireJson(request);
    const caller = callerIn(response);
    const policy = abortPolicyOf(dependencies, request);
    const body = parseBody(request, uiChatSchema);
    const wire = mapUiChat(dependencies.config, body);
    const key = request.get('idempotency-key') ?? (await unspentKeyOf(dependencies, caller, body));
    const head = await startOrResume(dependencies, caller, wire, {
      get: (name: string) => (name === 'idempotency-key' ? key : request.get(name)),
    });
    await chats.set(caller, body.id, head.generationId);
    if (policy === 'cancel') cancelOnAbort(dependencies, response, head);
    await streamUi(dependencies, response, { head, isResumed: false });
  });

  v1.get('/ui/chat/:id/stream', async (request, response) => {
    // A finished answer is sent too: the page may have lost its connection before the end.
    const head = await newestOf(response, request.params.id);
    if (head === null) response.status(204).end();
    else await streamUi(dependencies, response, { head, isResumed: true });
  });

  v1.delete('/ui/chat/:id/stream', async (request, response) => {
    const head = await newestOf(response, request.params.id);
    if (head?.status === 'running') await cancelRun(dependencies, head);
    response.status(204).end();
  });
}

/** The first key under which no generation has failed or was cancelled. */
async function unspentKeyOf(
  { log }: Pick<ApiDependencies, 'log'>,
  caller: Caller,
  body: UiChat,
): Promise<string | undefined> {
  for (const key of idempotencyKeysOf(body)) {
    const known = await log.known(generationIdFor(caller, key));
    if (known === null || known.status === 'running' || known.status === 'completed') return key;
  }
  return undefined;
}

async function streamUi(
  dependencies: ApiDependencies,
  response: Response,
  { head, isResumed }: { readonly head: LogHead; readonly isResumed: boolean },
): Promise<void> {
  const { generationId, origin } = head;
  const messageId =
    typeof origin === 'object' &&
    origin !== null &&
    'messageId' in origin &&
    typeof origin.messageId === 'string'
      ? origin.messageId
      : null;
  const input = isResumed && messageId !== null ? await dependencies.log.readInput(generationId) : null;
  const projection = new UiProjection({ messageId, earlier: earlierSteps(input?.messages ?? []) });
  await streamToClient(dependencies, response, {
    generationId,
    coalesces: true,
    refusalIsStatus: !isResumed,
    headers: { 'x-vercel-ai-ui-message-stream': 'v1' },
    encode: (event) =>
      projection
        .push(event)
        .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
        .join(''),
    last: () => 'data: [DONE]\n\n',
  });
}
