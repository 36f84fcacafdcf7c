/**
 * Sends a call, and maps the events of its response to ours. Source: OpenAI API reference, "Streaming events" of
 * Responses.
 */
import type OpenAI from 'openai';
import type { ResponseOutputItem, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { mayBeEmpty, streamCut, textOfDelta } from '../answer-state.ts';
import type { Link } from '../http-link.ts';
import { readOpenAiEvents } from '../openai-events.ts';
import { readOpenAiLogprobs } from '../openai-logprobs.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { PART_SEPARATOR } from '../reasoning-items.ts';
import { endResponse, inBandError } from './end-response.ts';
import { ResponsePosition } from './position.ts';
import { buildOpenAiResponseRequest, type ResponseMode } from './request.ts';

export async function* streamOpenAiResponse(
  client: OpenAI,
  call: ProviderCall,
  { isBackground, reasons, link }: ResponseMode & { readonly link: Link },
): AsyncGenerator<ProviderEvent> {
  const headers = { 'Idempotency-Key': call.idempotencyKey };
  const request = buildOpenAiResponseRequest(call, { isBackground, reasons });
  const { signal } = link;
  const response = await client.responses.create(request, { signal, headers }).asResponse();
  const position = new ResponsePosition(null, { isStored: isBackground });
  yield* mapOpenAiResponseStream(readOpenAiEvents(response, link), position, {
    mayBeEmpty: mayBeEmpty(call),
  });
}

/** @param mayBeEmpty whether an answer without content is complete. */
export async function* mapOpenAiResponseStream(
  stream: AsyncIterable<ResponseStreamEvent>,
  position: ResponsePosition,
  { mayBeEmpty }: { readonly mayBeEmpty: boolean },
): AsyncGenerator<ProviderEvent> {
  let refusal = '';
  const parts = new ReasoningParts();
  for await (const event of stream) {
    const { sequence_number: sequenceNumber } = event;
    switch (event.type) {
      case 'response.created':
        yield position.accepted(event.response.id, sequenceNumber);
        break;
      case 'response.output_text.delta':
        yield position.text(textOfDelta(event.delta), sequenceNumber, readOpenAiLogprobs(event.logprobs));
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
        const place = { item: event.output_index, part: index };
        yield position.reasoning(`${apart}${textOfDelta(event.delta)}`, place, sequenceNumber);
        break;
      }
      case 'response.output_item.done':
        if (event.item.type === 'reasoning' && event.item.encrypted_content) {
          yield position.reasoningData(event.output_index, { ...event.item }, sequenceNumber);
        } else if (isNativePart(event.item)) yield position.nativePart({ ...event.item }, sequenceNumber);
        break;
      case 'response.output_item.added':
        if (event.item.type === 'message') yield* position.startMessage(event.item.phase, sequenceNumber);
        else if (event.item.type === 'function_call') {
          const { call_id: id, name } = event.item;
          yield position.startToolCall(event.output_index, { id, name }, sequenceNumber);
        }
        break;
      case 'response.output_text.annotation.added':
        yield position.annotation({ ...(event.annotation as object) }, sequenceNumber);
        break;
      case 'response.function_call_arguments.delta':
        yield position.appendArguments(event.output_index, textOfDelta(event.delta), sequenceNumber);
        break;
      case 'response.refusal.delta':
        refusal += textOfDelta(event.delta);
        break;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        yield* endResponse(event.response, position, { mayBeEmpty, refusal });
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

/** An item that only this format has. */
export function isNativePart({ type }: ResponseOutputItem): boolean {
  return type !== 'message' && type !== 'function_call' && type !== 'reasoning';
}
