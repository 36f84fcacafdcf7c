/** Continues to read a response that runs at the provider, from the cursor that is in the log. */
import OpenAI from 'openai';
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { mayBeEmpty } from '../answer-state.ts';
import type { Link } from '../http-link.ts';
import { OpenAiEvents } from '../openai-events.ts';
import type { ProviderCall, ProviderCursor, ProviderEvent } from '../provider.ts';
import { pollResponse } from './poll.ts';
import { ResponsePosition } from './position.ts';
import { mapOpenAiResponseStream } from './stream.ts';

type Reattached = Extract<ProviderCall['resume'], { strategy: 'reattach' }>;

export async function* reattachOpenAiResponse(
  client: OpenAI,
  call: ProviderCall & { readonly resume: Reattached },
  link: Link,
): AsyncGenerator<ProviderEvent> {
  try {
    yield* continueResponse(client, call, link);
  } catch (error) {
    if (error instanceof OpenAI.NotFoundError) throw responseLost(error);
    throw error;
  }
}

async function* continueResponse(
  client: OpenAI,
  call: ProviderCall & { readonly resume: Reattached },
  link: Link,
): AsyncGenerator<ProviderEvent> {
  const { cursor } = call.resume;
  const mayEnd = { mayBeEmpty: mayBeEmpty(call) };
  const { signal } = link;
  const response = await retrieveStream(client, cursor, signal);
  // The model may still be thinking.
  yield { type: 'accepted' };
  if (response === null) {
    yield* pollResponse(client, cursor, { ...mayEnd, signal });
    return;
  }
  const position = new ResponsePosition(cursor, { isStored: true });
  try {
    const events = new OpenAiEvents<ResponseStreamEvent>(response, link);
    yield* mapOpenAiResponseStream(events, position, mayEnd);
  } catch (error) {
    if (!(error instanceof UnbrokenError) || error.code !== 'provider_stream_cut') throw error;
    // The stream of a cancelled response just ends, without an event. To reattach to it would fail again and again.
    const { status } = await client.responses.retrieve(cursor.responseId, {}, { signal });
    if (status === 'in_progress' || status === 'queued') throw error;
    yield* pollResponse(client, position.cursor, { ...mayEnd, signal });
  }
}

/** @returns null if the API no longer streams this response: it is over five minutes old, or has ended. */
async function retrieveStream(client: OpenAI, cursor: ProviderCursor, signal: AbortSignal) {
  try {
    const from = { stream: true, starting_after: cursor.sequenceNumber } as const;
    return await client.responses.retrieve(cursor.responseId, from, { signal }).asResponse();
  } catch (error) {
    if (error instanceof OpenAI.BadRequestError) return null;
    throw error;
  }
}

function responseLost(cause: unknown): UnbrokenError {
  return new UnbrokenError('provider_response_lost', 'The running response is gone at the provider.', {
    cause,
  });
}
