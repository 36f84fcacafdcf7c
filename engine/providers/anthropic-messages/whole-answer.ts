/** A message that was not streamed, as in the results of a batch: the events that its stream would have had. */
import type { Message, RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages';
import { malformed } from '../answer-state.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { mapAnthropicStream } from './stream.ts';

export async function* mapAnthropicMessage(body: unknown, call: ProviderCall): AsyncGenerator<ProviderEvent> {
  yield { type: 'accepted' };
  yield* mapAnthropicStream(eventsOf(body as Message), call);
}

async function* eventsOf(message: Message): AsyncGenerator<RawMessageStreamEvent> {
  const { content, usage } = message;
  if (!Array.isArray(content)) throw malformed('a message without content');
  yield { type: 'message_start', message };
  for (const [index, block] of content.entries()) {
    // A block may come whole: then no delta follows.
    yield { type: 'content_block_start', index, content_block: block };
    yield { type: 'content_block_stop', index };
  }
  yield { type: 'message_delta', delta: message, usage: usage as never };
  yield { type: 'message_stop' };
}
