/** The events of a message as ours. Source: Anthropic API reference, "Streaming messages". */
import type { RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { createAnswerState, malformed, streamCut } from '../answer-state.ts';
import type { ProviderEvent } from '../provider.ts';
import { type ReportedUsage, toUsage } from './usage.ts';

/** @param mayBeEmpty whether an answer without new text is whole: the text delivered before it was all there is. */
export async function* toProviderEvents(
  stream: AsyncIterable<RawMessageStreamEvent>,
  mayBeEmpty: boolean,
): AsyncGenerator<ProviderEvent> {
  const answer = createAnswerState(mayBeEmpty);
  let first: ReportedUsage | null = null;
  let last: ReportedUsage | null = null;
  let stopReason: string | null = null;
  for await (const event of stream) {
    switch (event.type) {
      case 'message_start':
        first = event.message.usage;
        yield* told(toUsage(first, last));
        break;
      case 'content_block_start':
        if (event.content_block.type === 'tool_use') {
          const { id, name, input } = event.content_block;
          yield answer.call(event.index, id, name);
          // Compatible servers give all arguments at once.
          const whole = JSON.stringify(input ?? {});
          if (whole !== '{}') yield answer.more(event.index, whole);
        } else if (event.content_block.type === 'text' && event.content_block.text !== '') {
          yield answer.text(piece(event.content_block.text));
        }
        break;
      case 'content_block_delta':
        if (event.delta.type === 'text_delta') yield answer.text(piece(event.delta.text));
        else if (event.delta.type === 'thinking_delta') {
          yield { type: 'reasoning', text: piece(event.delta.thinking) };
        } else if (event.delta.type === 'input_json_delta') {
          yield answer.more(event.index, piece(event.delta.partial_json));
        }
        break;
      case 'message_delta':
        // The type promises it; compatible servers leave it out.
        last = event.usage ?? last;
        stopReason = event.delta.stop_reason;
        yield* told(toUsage(first, last));
        break;
      case 'message_stop':
        if (stopReason === 'refusal') throw new UnbrokenError('content_filtered', 'The model refused.');
        yield* answer.finish(toFinishReason(stopReason), last === null ? null : toUsage(first, last));
        return;
      default:
        break;
    }
  }
  throw streamCut();
}

function* told(usage: ReturnType<typeof toUsage>): Generator<ProviderEvent> {
  if (usage !== null) yield { type: 'usage', usage };
}

function toFinishReason(stopReason: string | null): FinishReason {
  if (stopReason === 'tool_use') return 'tool-calls';
  return stopReason === 'max_tokens' || stopReason === 'model_context_window_exceeded' ? 'length' : 'stop';
}

function piece(text: unknown): string {
  if (typeof text !== 'string') throw malformed('a delta without text');
  return text;
}
