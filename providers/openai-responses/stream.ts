/** The events of a response as ours. Source: OpenAI API reference, "Streaming events" of Responses. */
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { UnbrokenError } from '../../contracts/errors.ts';
import { toUnbrokenError } from '../http-errors.ts';
import type { ProviderCursor, ProviderEvent } from '../provider.ts';
import { toUsage } from './usage.ts';

/**
 * @param from where the stream was taken up again; null for a new response.
 * @param mayBeEmpty whether an answer without new text is whole: the text delivered before it was all there is.
 */
export async function* toProviderEvents(
  stream: AsyncIterable<ResponseStreamEvent>,
  from: ProviderCursor | null,
  mayBeEmpty: boolean,
): AsyncGenerator<ProviderEvent> {
  let responseId = from?.responseId ?? '';
  let textChars = from?.textChars ?? 0;
  for await (const event of stream) {
    switch (event.type) {
      case 'response.created':
        responseId = event.response.id;
        yield { type: 'accepted', cursor: { responseId, sequenceNumber: event.sequence_number, textChars } };
        break;
      case 'response.output_text.delta': {
        if (typeof event.delta !== 'string') throw malformed();
        textChars += event.delta.length;
        const cursor = { responseId, sequenceNumber: event.sequence_number, textChars };
        yield { type: 'text', text: event.delta, cursor };
        break;
      }
      case 'response.reasoning_summary_text.delta':
        yield {
          type: 'reasoning',
          text: event.delta,
          cursor: { responseId, sequenceNumber: event.sequence_number, textChars },
        };
        break;
      case 'response.refusal.done':
        throw new UnbrokenError('content_filtered', 'The model refused.');
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        yield finishOf(event.response, mayBeEmpty || textChars > 0);
        return;
      case 'error':
        throw toUnbrokenError({
          ...{ status: undefined, kind: event.code || 'server_error', message: event.message },
          ...{ headers: undefined, isStreaming: true },
        });
      default:
        break;
    }
  }
  throw new UnbrokenError('provider_stream_cut', 'The stream ended without its last event.');
}

/** The end of a response that has ended; throws what its status says. */
export function finishOf(response: Response, hasText: boolean): ProviderEvent {
  const usage = toUsage(response.usage);
  if (response.status === 'failed') {
    const { code, message } = response.error ?? { code: 'server_error', message: 'The response failed.' };
    throw toUnbrokenError({ status: undefined, kind: code, message, headers: undefined, isStreaming: true });
  }
  if (response.status === 'cancelled') {
    throw new UnbrokenError('provider_unavailable', 'The response was cancelled at the provider.');
  }
  const reason = response.incomplete_details?.reason;
  if (reason === 'content_filter')
    throw new UnbrokenError('content_filtered', 'The answer was cut by a filter.');
  if (!hasText) throw new UnbrokenError('provider_empty', 'The provider ended without text.');
  return { type: 'finish', reason: response.status === 'incomplete' ? 'length' : 'stop', usage };
}

function malformed(): UnbrokenError {
  return new UnbrokenError(
    'provider_malformed',
    'The provider sent an event that its format does not allow.',
  );
}
