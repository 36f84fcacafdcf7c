/** A chat completion that was not streamed, as in the results of a batch: a stream of one chunk. */
import type { ChatCompletion, ChatCompletionChunk } from 'openai/resources/chat/completions';
import { malformed } from '../answer-state.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { mapOpenAiChatStream } from './stream.ts';

export async function* mapChatCompletion(
  body: unknown,
  call: ProviderCall,
  quirks: ProviderSettings['quirks'],
): AsyncGenerator<ProviderEvent> {
  const { choices } = body as Partial<ChatCompletion>;
  if (choices?.[0]?.message === undefined) throw malformed('a completion without a message');
  yield { type: 'accepted' };
  yield* mapOpenAiChatStream(only(body as ChatCompletionChunk), call, quirks);
}

async function* only<Item>(item: Item): AsyncGenerator<Item> {
  yield item;
}
