/** A chat completion that was not streamed, as in the results of a batch: one chunk that has everything. */
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
  yield { type: 'accepted' };
  yield* mapOpenAiChatStream(only(chunkOf(body as Partial<ChatCompletion>)), call, quirks);
}

function chunkOf({ choices, ...rest }: Partial<ChatCompletion>): ChatCompletionChunk {
  const [choice] = choices ?? [];
  if (choice?.message === undefined) throw malformed('a completion without a message');
  const { message, ...others } = choice;
  const calls = message.tool_calls?.map((toolCall, index) => ({ ...toolCall, index }));
  const delta = { ...message, ...(calls === undefined ? {} : { tool_calls: calls }) };
  return { ...rest, choices: [{ ...others, delta }] } as unknown as ChatCompletionChunk;
}

async function* only<Item>(item: Item): AsyncGenerator<Item> {
  yield item;
}
