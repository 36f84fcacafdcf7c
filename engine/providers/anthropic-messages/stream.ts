/**
 * Sends a call to any host of the Messages API, and maps the events of its message to ours. Source: Anthropic API
 * reference, "Streaming messages".
 */
import type {
  MessageCreateParamsStreaming,
  RawMessageStreamEvent,
} from '@anthropic-ai/sdk/resources/messages';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import type { Usage } from '../../../contracts/money.ts';
import { AnswerState, streamCut, textOfDelta } from '../answer-state.ts';
import { dropRepeatedSpace } from '../continue-instruction.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { buildAnthropicHeaders, buildAnthropicRequest } from './request.ts';
import { type AnthropicUsage, mapAnthropicUsage } from './usage.ts';

/**
 * The request method below `messages.create` of the SDK's clients. `messages.create` itself writes to the console which
 * models are old, and would put prompts into traces while those are on.
 */
export interface MessagesClient {
  post(
    path: '/v1/messages',
    options: {
      body: MessageCreateParamsStreaming;
      stream: true;
      signal: AbortSignal;
      headers: Record<string, string>;
    },
  ): PromiseLike<unknown>;
}

export async function* streamAnthropicMessage(
  client: MessagesClient,
  call: ProviderCall,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const { resume } = call;
  const withoutRepeat = dropRepeatedSpace('deliveredText' in resume ? resume.deliveredText : '');
  const headers = buildAnthropicHeaders(call.input);
  const body = buildAnthropicRequest(call);
  const stream = await client.post('/v1/messages', { body, stream: true, signal, headers });
  yield { type: 'accepted' };
  const events = stream as AsyncIterable<RawMessageStreamEvent>;
  for await (const event of mapAnthropicStream(events, { mayBeEmpty: 'deliveredText' in resume })) {
    if (event.type !== 'text') {
      yield event;
      continue;
    }
    const text = withoutRepeat(event.text);
    if (text !== '') yield { type: 'text', text };
  }
}

/** @param mayBeEmpty whether an answer without new content is complete: the text delivered before was the whole. */
async function* mapAnthropicStream(
  stream: AsyncIterable<RawMessageStreamEvent>,
  { mayBeEmpty }: { readonly mayBeEmpty: boolean },
): AsyncGenerator<ProviderEvent> {
  const answer = new AnswerState({ mayBeEmpty });
  let first: AnthropicUsage | null = null;
  let last: AnthropicUsage | null = null;
  let stopReason: string | null = null;
  for await (const event of stream) {
    switch (event.type) {
      case 'message_start':
        first = event.message.usage;
        yield* usageEvents(mapAnthropicUsage(first, last));
        break;
      case 'content_block_start':
        if (event.content_block.type === 'tool_use') {
          const { id, name, input } = event.content_block;
          yield answer.startToolCall(event.index, id, name);
          // Compatible servers send all arguments at once.
          const whole = JSON.stringify(input ?? {});
          if (whole !== '{}') yield answer.appendArguments(event.index, whole);
        } else if (event.content_block.type === 'text' && event.content_block.text !== '') {
          yield answer.text(textOfDelta(event.content_block.text));
        }
        break;
      case 'content_block_delta':
        if (event.delta.type === 'text_delta') yield answer.text(textOfDelta(event.delta.text));
        else if (event.delta.type === 'thinking_delta') {
          yield { type: 'reasoning', text: textOfDelta(event.delta.thinking) };
        } else if (event.delta.type === 'input_json_delta') {
          yield answer.appendArguments(event.index, textOfDelta(event.delta.partial_json));
        }
        break;
      case 'message_delta':
        // The type promises it; compatible servers omit it.
        last = event.usage ?? last;
        stopReason = event.delta.stop_reason;
        yield* usageEvents(mapAnthropicUsage(first, last));
        break;
      case 'message_stop': {
        if (stopReason === 'refusal') throw new UnbrokenError('content_filtered', 'The model refused.');
        const usage = last === null ? null : mapAnthropicUsage(first, last);
        yield* answer.finish(mapAnthropicStopReason(stopReason), usage);
        return;
      }
      default:
        break;
    }
  }
  throw streamCut();
}

function* usageEvents(usage: Usage | null): Generator<ProviderEvent> {
  if (usage !== null) yield { type: 'usage', usage };
}

function mapAnthropicStopReason(stopReason: string | null): FinishReason {
  if (stopReason === 'tool_use') return 'tool-calls';
  return stopReason === 'max_tokens' || stopReason === 'model_context_window_exceeded' ? 'length' : 'stop';
}
