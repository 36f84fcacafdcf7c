/** The events of a message as ours. Source: Anthropic API reference, "Streaming messages". */
import type { RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { FinishReason } from '../../contracts/generation.ts';
import type { ProviderEvent } from '../provider.ts';
import { type ReportedUsage, toUsage } from './usage.ts';

/** @param mayBeEmpty whether an answer without new text is whole: the text delivered before it was all there is. */
export async function* toProviderEvents(
  stream: AsyncIterable<RawMessageStreamEvent>,
  mayBeEmpty: boolean,
): AsyncGenerator<ProviderEvent> {
  let first: ReportedUsage | null = null;
  let last: ReportedUsage | null = null;
  let stopReason: string | null = null;
  let hasText = mayBeEmpty;
  for await (const event of stream) {
    switch (event.type) {
      case 'message_start':
        first = event.message.usage;
        yield { type: 'accepted' };
        break;
      case 'content_block_delta':
        if (event.delta.type === 'text_delta') {
          hasText = true;
          yield { type: 'text', text: event.delta.text };
        } else if (event.delta.type === 'thinking_delta') {
          yield { type: 'reasoning', text: event.delta.thinking };
        }
        break;
      case 'message_delta':
        // The type promises it; compatible servers leave it out.
        last = event.usage ?? null;
        stopReason = event.delta.stop_reason;
        break;
      case 'message_stop':
        if (stopReason === 'refusal') throw new UnbrokenError('content_filtered', 'The model refused.');
        if (!hasText) throw new UnbrokenError('provider_empty', 'The provider ended without text.');
        yield { type: 'finish', reason: toFinishReason(stopReason), usage: toUsage(first, last) };
        return;
      default:
        break;
    }
  }
  throw new UnbrokenError('provider_stream_cut', 'The stream ended without its last event.');
}

function toFinishReason(stopReason: string | null): FinishReason {
  return stopReason === 'max_tokens' || stopReason === 'model_context_window_exceeded' ? 'length' : 'stop';
}
