/** A whole message as the events that its stream would have had. */
import type { Message, RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages';
import { malformed } from '../answer-state.ts';

/** A beta's: the SDK's type of a message lacks it. */
interface Edited {
  readonly context_management?: unknown;
}

export function* eventsOfMessage(message: Message): Generator<RawMessageStreamEvent> {
  const { content, usage, context_management } = message as Message & Edited;
  if (!Array.isArray(content)) throw malformed('a message without content');
  yield { type: 'message_start', message };
  for (const [index, block] of content.entries()) {
    // A block may come whole: then no delta follows.
    yield { type: 'content_block_start', index, content_block: block };
    yield { type: 'content_block_stop', index };
  }
  const edited = { context_management };
  yield { type: 'message_delta', delta: message, usage: usage as never, ...edited };
  yield { type: 'message_stop' };
}
