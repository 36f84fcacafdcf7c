/**
 * Sends a call, and maps the events of its response to ours. Source: OpenAI API reference, "Streaming events" of
 * Responses.
 */
import type OpenAI from 'openai';
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { streamCut, textOfDelta } from '../answer-state.ts';
import { toUnbrokenError } from '../http-errors.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { ResponsePosition } from './position.ts';
import { buildOpenAiResponseRequest } from './request.ts';
import { mapOpenAiResponseUsage } from './usage.ts';

/** @param isBackground whether the response runs at the provider without us, so that we can reattach to it. */
export async function* streamOpenAiResponse(
  client: OpenAI,
  call: ProviderCall,
  { isBackground, signal }: { readonly isBackground: boolean; readonly signal: AbortSignal },
): AsyncGenerator<ProviderEvent> {
  const headers = { 'Idempotency-Key': call.idempotencyKey };
  const request = buildOpenAiResponseRequest(call, { isBackground });
  const stream = await client.responses.create(request, { signal, headers });
  const position = new ResponsePosition(null, { isStored: isBackground });
  yield* mapOpenAiResponseStream(stream, position, { mayBeEmpty: 'deliveredText' in call.resume });
}

interface Ending {
  /** Whether an answer without new content is complete: the text delivered before was the whole. */
  readonly mayBeEmpty: boolean;
  readonly isRefused: boolean;
}

/** Between two parts of reasoning, which are paragraphs. */
export const PART_SEPARATOR = '\n\n';

export async function* mapOpenAiResponseStream(
  stream: AsyncIterable<ResponseStreamEvent>,
  position: ResponsePosition,
  { mayBeEmpty }: Pick<Ending, 'mayBeEmpty'>,
): AsyncGenerator<ProviderEvent> {
  let isRefused = false;
  const parts = new ReasoningParts();
  for await (const event of stream) {
    const { sequence_number: sequenceNumber } = event;
    switch (event.type) {
      case 'response.created':
        yield position.accepted(event.response.id, sequenceNumber);
        break;
      case 'response.output_text.delta':
        yield position.text(textOfDelta(event.delta), sequenceNumber);
        break;
      case 'response.reasoning_summary_part.added':
        parts.added();
        break;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta': {
        const index = 'summary_index' in event ? event.summary_index : event.content_index;
        const apart = parts.separatorBefore(
          `${event.output_index} ${index}`,
          position.cursor.reasoningChars ?? 0,
        );
        yield position.reasoning(`${apart}${textOfDelta(event.delta)}`, sequenceNumber);
        break;
      }
      case 'response.output_item.added':
        if (event.item.type === 'function_call') {
          const { call_id: id, name } = event.item;
          yield position.startToolCall(event.output_index, { id, name }, sequenceNumber);
        }
        break;
      case 'response.function_call_arguments.delta':
        yield position.appendArguments(event.output_index, textOfDelta(event.delta), sequenceNumber);
        break;
      case 'response.refusal.delta':
        isRefused = true;
        break;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        yield* endResponse(event.response, position, { mayBeEmpty, isRefused });
        return;
      case 'error':
        throw inBandError(event.code || 'server_error', event.message);
      default:
        break;
    }
  }
  throw streamCut();
}

/** Keeps the parts of reasoning apart. They arrive as one text, and a poll joins them in the same way. */
class ReasoningParts {
  #isNew = false;
  /** The place of the part that the last delta belongs to; null before the first delta of this connection. */
  #place: string | null = null;

  added(): void {
    this.#isNew = true;
  }

  separatorBefore(place: string, charsSoFar: number): string {
    const isNext = this.#isNew || (this.#place !== null && this.#place !== place);
    this.#isNew = false;
    this.#place = place;
    return isNext && charsSoFar > 0 ? PART_SEPARATOR : '';
  }
}

/** The last events of an ended response: its usage and its finish. Throws if it did not end well. */
export function* endResponse(
  response: Response,
  position: ResponsePosition,
  { mayBeEmpty, isRefused }: Ending,
): Generator<ProviderEvent> {
  const usage = mapOpenAiResponseUsage(response.usage);
  if (usage !== null) yield { type: 'usage', usage };
  if (response.status === 'failed') {
    const { code, message } = response.error ?? { code: 'server_error', message: 'The response failed.' };
    throw inBandError(code, message);
  }
  if (response.status === 'cancelled') {
    throw new UnbrokenError('provider_response_lost', 'The response was cancelled at the provider.');
  }
  if (isRefused) throw new UnbrokenError('content_filtered', 'The model refused.');
  const reason = response.incomplete_details?.reason;
  if (reason === 'content_filter')
    throw new UnbrokenError('content_filtered', 'The answer was cut by a filter.');
  const isCut = response.status === 'incomplete';
  // An answer at its cap is complete even without text: thoughts used up the cap, and would use it up again.
  if (!mayBeEmpty && !isCut && !position.hasContent)
    throw new UnbrokenError('provider_empty', 'The provider ended without an answer.');
  const ended = position.hasToolCalls ? 'tool-calls' : 'stop';
  yield { type: 'finish', reason: isCut ? 'length' : ended, usage };
}

function inBandError(kind: string, message: string): UnbrokenError {
  return toUnbrokenError({ status: undefined, kind, message, headers: undefined, isStreaming: true });
}
