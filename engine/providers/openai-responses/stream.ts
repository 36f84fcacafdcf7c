/** The events of a response as ours. Source: OpenAI API reference, "Streaming events" of Responses. */
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { malformed, streamCut } from '../answer-state.ts';
import { toUnbrokenError } from '../http-errors.ts';
import type { ProviderEvent } from '../provider.ts';
import type { ResponsePosition } from './position.ts';
import { toUsage } from './usage.ts';

/** @param mayBeEmpty whether an answer without new text is whole: the text delivered before it was all there is. */
export async function* toProviderEvents(
  stream: AsyncIterable<ResponseStreamEvent>,
  position: ResponsePosition,
  mayBeEmpty: boolean,
): AsyncGenerator<ProviderEvent> {
  let isRefused = false;
  for await (const event of stream) {
    switch (event.type) {
      case 'response.created':
        yield position.accepted(event.response.id, event.sequence_number);
        break;
      case 'response.output_text.delta':
        yield position.text(piece(event.delta), event.sequence_number);
        break;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        yield position.reasoning(piece(event.delta), event.sequence_number);
        break;
      case 'response.output_item.added':
        if (event.item.type === 'function_call') {
          yield position.call(event.output_index, event.item.call_id, event.item.name, event.sequence_number);
        }
        break;
      case 'response.function_call_arguments.delta':
        yield position.more(event.output_index, piece(event.delta), event.sequence_number);
        break;
      case 'response.refusal.delta':
        isRefused = true;
        break;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        yield* endOf(event.response, position, mayBeEmpty, isRefused);
        return;
      case 'error':
        throw toUnbrokenError({
          status: undefined,
          kind: event.code || 'server_error',
          message: event.message,
          headers: undefined,
          isStreaming: true,
        });
      default:
        break;
    }
  }
  throw streamCut();
}

/** The end of a response that has ended: what it used, and its finish; throws what its status says. */
export function* endOf(
  response: Response,
  position: ResponsePosition,
  mayBeEmpty: boolean,
  isRefused = false,
): Generator<ProviderEvent> {
  const usage = toUsage(response.usage);
  if (usage !== null) yield { type: 'usage', usage };
  if (response.status === 'failed') {
    const { code, message } = response.error ?? { code: 'server_error', message: 'The response failed.' };
    throw toUnbrokenError({ status: undefined, kind: code, message, headers: undefined, isStreaming: true });
  }
  if (response.status === 'cancelled') {
    throw new UnbrokenError('provider_response_lost', 'The response was cancelled at the provider.');
  }
  if (isRefused) throw new UnbrokenError('content_filtered', 'The model refused.');
  const reason = response.incomplete_details?.reason;
  if (reason === 'content_filter')
    throw new UnbrokenError('content_filtered', 'The answer was cut by a filter.');
  const isCut = response.status === 'incomplete';
  // An answer at its cap is whole without text too: thoughts have used the cap, and would use it again.
  if (!mayBeEmpty && !isCut && !position.hasContent())
    throw new UnbrokenError('provider_empty', 'The provider ended without an answer.');
  const ended = position.hasCalls() ? 'tool-calls' : 'stop';
  yield { type: 'finish', reason: isCut ? 'length' : ended, usage };
}

function piece(delta: unknown): string {
  if (typeof delta !== 'string') throw malformed('a delta without text');
  return delta;
}
