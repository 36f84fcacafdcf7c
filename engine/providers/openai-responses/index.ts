/** OpenAI's Responses API in background mode: a response that is cut is taken up again and nothing is paid twice. */
import OpenAI from 'openai';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { createLink, type Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderCursor, ProviderEvent } from '../provider.ts';
import { type ProviderSettings, resumeCapabilities } from '../provider-settings.ts';
import { streamCall } from '../stream-call.ts';
import { toError } from './errors.ts';
import { pollResponse } from './poll.ts';
import { createResponsePosition } from './position.ts';
import { toRequest } from './request.ts';
import { toProviderEvents } from './stream.ts';
import { toUsage } from './usage.ts';

/**
 * Longest that the end of a response may take to be asked for; a budget is held meanwhile. The step that closes a log may
 * wait for a leader before it, and has 15 s in all: with more, a provider that never answers would keep the run open.
 */
const STOP_MS = 6_000;

export function createOpenAiResponses(settings: ProviderSettings): Provider {
  const capabilities = resumeCapabilities(settings);
  return {
    name: settings.name,
    capabilities,
    stream: (call) =>
      streamCall(
        call,
        settings,
        (link) => events(clientFor(settings, link), call, capabilities(call.model).reattach, link.signal),
        toError,
      ),
    async stop(responseId, apiKey) {
      const signal = AbortSignal.timeout(STOP_MS);
      const client = clientFor(settings, createLink({ apiKey }, settings, signal));
      try {
        return toUsage((await client.responses.cancel(responseId, { signal })).usage);
      } catch {
        // It has ended already: then its record says what it used.
        const ended = await client.responses.retrieve(responseId, {}, { signal }).catch(() => null);
        return toUsage(ended?.usage);
      }
    },
  };
}

function clientFor({ baseUrl }: ProviderSettings, { apiKey, fetch }: Link): OpenAI {
  return new OpenAI({
    apiKey,
    fetch,
    maxRetries: 0,
    // Its errors are ours to report; its log could show the prompt.
    logLevel: 'off',
    timeout: LIMITS.vendorCallMs,
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl }),
  });
}

async function* events(
  client: OpenAI,
  call: ProviderCall,
  runsOn: boolean,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const cursor = call.resume.strategy === 'reattach' ? call.resume.cursor : null;
  if (cursor === null) {
    const headers = { 'Idempotency-Key': call.idempotencyKey };
    const stream = await client.responses.create(toRequest(call, runsOn), { signal, headers });
    yield* toProviderEvents(stream, createResponsePosition(null, runsOn), 'deliveredText' in call.resume);
    return;
  }
  try {
    yield* goOn(client, cursor, signal);
  } catch (error) {
    if (error instanceof OpenAI.NotFoundError) throw responseLost(error);
    throw error;
  }
}

async function* goOn(
  client: OpenAI,
  cursor: ProviderCursor,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const stream = await reattach(client, cursor, signal);
  // It may still be thinking.
  yield { type: 'accepted' };
  if (stream === null) {
    yield* pollResponse(client, cursor, signal);
    return;
  }
  const position = createResponsePosition(cursor);
  try {
    yield* toProviderEvents(stream, position, false);
  } catch (error) {
    if (!(error instanceof UnbrokenError) || error.code !== 'provider_stream_cut') throw error;
    // No event of a stream tells that the response was cancelled: taken up again, it would be cut again, and again.
    const { status } = await client.responses.retrieve(cursor.responseId, {}, { signal });
    if (status === 'in_progress' || status === 'queued') throw error;
    yield* pollResponse(client, position.cursor(), signal);
  }
}

function responseLost(cause: unknown): UnbrokenError {
  return new UnbrokenError('provider_response_lost', 'The running response is gone at the provider.', {
    cause,
  });
}

/** @returns null where the API streams this response no more (it is over five minutes old, or has ended). */
async function reattach(client: OpenAI, cursor: ProviderCursor, signal: AbortSignal) {
  try {
    return await client.responses.retrieve(
      cursor.responseId,
      { stream: true, starting_after: cursor.sequenceNumber },
      { signal },
    );
  } catch (error) {
    if (error instanceof OpenAI.BadRequestError) return null;
    throw error;
  }
}
