/** A message that was not streamed, as in the results of a batch: the events that its stream would have had. */
import type { Message } from '@anthropic-ai/sdk/resources/messages';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { mapAnthropicStream } from './stream.ts';
import { eventsOfMessage } from './whole-message.ts';

export async function* mapAnthropicMessage(body: unknown, call: ProviderCall): AsyncGenerator<ProviderEvent> {
  yield { type: 'accepted' };
  yield* mapAnthropicStream(iterate(eventsOfMessage(body as Message)), call);
}

async function* iterate<Item>(items: Iterable<Item>): AsyncGenerator<Item> {
  yield* items;
}
