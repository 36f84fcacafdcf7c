/** A response that was not streamed, as in the results of a batch. */
import type { Response } from 'openai/resources/responses/responses';
import { malformed, mayBeEmpty } from '../answer-state.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { endResponse } from './end-response.ts';
import { newEvents } from './poll.ts';
import { ResponsePosition } from './position.ts';

export async function* mapOpenAiResponse(body: unknown, call: ProviderCall): AsyncGenerator<ProviderEvent> {
  const response = body as Response;
  if (!Array.isArray(response.output)) throw malformed('a response without output');
  yield { type: 'accepted' };
  const position = new ResponsePosition(null, { isStored: false });
  yield* newEvents(response, position);
  yield* endResponse(response, position, { mayBeEmpty: mayBeEmpty(call), refusal: '' });
}
