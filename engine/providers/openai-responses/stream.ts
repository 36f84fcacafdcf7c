/**
 * Sends a call, and maps the events of its response to ours. Source: OpenAI API reference, "Streaming events" of
 * Responses.
 */
import type OpenAI from 'openai';
import type {
  Response as OpenAiResponse,
  ResponseFunctionToolCall,
  ResponseOutputItem,
  ResponseReasoningItem,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import { isJsonObject } from '../../../contracts/json.ts';
import { malformed, mayBeEmpty, streamCut, textOfDelta } from '../answer-state.ts';
import type { Link } from '../http-link.ts';
import { OpenAiEvents } from '../openai-events.ts';
import { readOpenAiLogprobs } from '../openai-logprobs.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { PART_SEPARATOR } from '../reasoning-items.ts';
import { CallPlaces } from './call-places.ts';
import { endResponse, inBandError } from './end-response.ts';
import { newContent, newEvents, partsOf, toCall } from './poll.ts';
import { isNativePart, ResponsePosition } from './position.ts';
import { ReasoningParts } from './reasoning-parts.ts';
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
  const events = new OpenAiEvents<ResponseStreamEvent>(response, link);
  yield* mapOpenAiResponseStream(events, position, { mayBeEmpty: mayBeEmpty(call) });
}

/** @param mayBeEmpty whether an answer without content is complete. */
export async function* mapOpenAiResponseStream(
  stream: AsyncIterable<ResponseStreamEvent>,
  position: ResponsePosition,
  { mayBeEmpty }: { readonly mayBeEmpty: boolean },
): AsyncGenerator<ProviderEvent> {
  let refusal = '';
  const parts = new ReasoningParts();
  const isWholeStream = position.cursor.sequenceNumber < 0;
  const items = new StreamedItems({ isWhole: isWholeStream });
  const thoughts = new StreamedItems({ isWhole: isWholeStream });
  const calls = new CallPlaces(position);
  for await (const event of stream) {
    const { sequence_number: sequenceNumber } = event;
    if (isWhole(event)) {
      yield* mapWhole(event, position, { mayBeEmpty });
      return;
    }
    if (ENDS.has(event.type)) {
      const response = endedBy(event);
      yield* unstreamed(response, position);
      yield* endResponse(response, position, { mayBeEmpty, refusal });
      return;
    }
    switch (event.type) {
      case 'response.created':
        yield position.accepted(event.response.id, sequenceNumber);
        break;
      case 'response.output_text.delta':
        items.noteText(event.output_index);
        yield position.text(textOfDelta(event.delta), sequenceNumber, readOpenAiLogprobs(event.logprobs));
        break;
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta': {
        thoughts.noteText(event.output_index);
        const { separator, place } = parts.next(event, position.cursor.reasoningChars ?? 0);
        yield position.reasoning(`${separator}${textOfDelta(event.delta)}`, place, sequenceNumber);
        break;
      }
      case 'response.output_item.done':
        yield* endItem(event, position, { items, thoughts, calls });
        break;
      case 'response.output_item.added':
        for (const streamed of [items, thoughts]) streamed.noteStart(event.output_index);
        yield* startItem(event, position, calls);
        break;
      case 'response.output_text.annotation.added':
        yield position.annotation({ ...(event.annotation as object) }, sequenceNumber);
        break;
      case 'response.function_call_arguments.delta':
        yield position.appendArguments(calls.ofDelta(event), textOfDelta(event.delta), sequenceNumber);
        break;
      case 'response.function_call_arguments.done':
        yield* position.wholeArguments(calls.ofDelta(event), event.arguments, sequenceNumber);
        break;
      case 'response.refusal.delta':
        refusal += textOfDelta(event.delta);
        break;
      case 'error':
        throw inBandError(event.code || 'server_error', event.message);
      default:
        parts.note(event);
    }
  }
  throw streamCut();
}

/** Some servers break off with `response.error`. */
const FAILS: ReadonlySet<string> = new Set(['response.failed', 'response.error']);
/** The last event. Some servers end with `response.done`. */
const ENDS: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.done',
  ...FAILS,
]);

/** The response of a last event, or what its type says where a server leaves the response out. */
function endedBy(event: ResponseStreamEvent): OpenAiResponse {
  const { type, ...fields } = event;
  const { response, code, message } = fields as { response?: unknown; code?: unknown; message?: unknown };
  if (isJsonObject(response)) return response as unknown as OpenAiResponse;
  if (!FAILS.has(type)) {
    return { status: type === 'response.incomplete' ? 'incomplete' : 'completed' } as OpenAiResponse;
  }
  const words = typeof message === 'string' && message !== '' ? message : 'The response failed.';
  throw inBandError(typeof code === 'string' ? code : 'server_error', words);
}

/** Which items have had text in this connection. */
class StreamedItems {
  readonly #began = new Set<number>();
  readonly #withText = new Set<number>();
  readonly #isWhole: boolean;

  /** @param isWhole whether the connection has all of the response: else an item may have had its text before. */
  constructor({ isWhole }: { readonly isWhole: boolean }) {
    this.#isWhole = isWhole;
  }

  noteStart(outputIndex: number): void {
    this.#began.add(outputIndex);
    this.#withText.delete(outputIndex);
  }

  noteText(outputIndex: number): void {
    this.#withText.add(outputIndex);
  }

  isWithoutText(outputIndex: number): boolean {
    return !this.#withText.has(outputIndex) && (this.#isWhole || this.#began.has(outputIndex));
  }
}

/** The content of a server that sends nothing before its last event. */
function* unstreamed(response: OpenAiResponse, position: ResponsePosition): Generator<ProviderEvent> {
  if (!position.hasContent && Array.isArray(response.output)) yield* newContent(response, position);
}

type ItemAdded = Extract<ResponseStreamEvent, { type: 'response.output_item.added' }>;

function* startItem(
  { item, output_index: outputIndex, sequence_number: sequenceNumber }: ItemAdded,
  position: ResponsePosition,
  calls: CallPlaces,
): Generator<ProviderEvent> {
  if (item.type === 'message') yield* position.startMessage(item.phase, sequenceNumber);
  else if (item.type === 'function_call') {
    yield* startCall(item, { outputIndex, sequenceNumber }, position, calls);
  }
}

/** @returns the place of the call, which may have been started before. */
function* startCall(
  item: ResponseFunctionToolCall,
  { outputIndex, sequenceNumber }: { readonly outputIndex: number; readonly sequenceNumber: number },
  position: ResponsePosition,
  calls: CallPlaces,
): Generator<ProviderEvent, number> {
  const place = calls.ofItem(item, outputIndex);
  if (!position.hasToolCall(place)) yield position.startToolCall(place, toCall(item), sequenceNumber);
  return place;
}

interface Streamed {
  readonly items: StreamedItems;
  readonly thoughts: StreamedItems;
  readonly calls: CallPlaces;
}

type ItemDone = Extract<ResponseStreamEvent, { type: 'response.output_item.done' }>;

/** The whole item has what some servers send no deltas of. */
function* endItem(
  { item, output_index: outputIndex, sequence_number: sequenceNumber }: ItemDone,
  position: ResponsePosition,
  { items, thoughts, calls }: Streamed,
): Generator<ProviderEvent> {
  if (item.type === 'reasoning') {
    if (thoughts.isWithoutText(outputIndex)) yield* wholeReasoning(item, outputIndex, position);
    if (item.encrypted_content) yield position.reasoningData(outputIndex, { ...item }, sequenceNumber);
  } else if (item.type === 'function_call') {
    const place = yield* startCall(item, { outputIndex, sequenceNumber }, position, calls);
    yield* position.wholeArguments(place, item.arguments, sequenceNumber);
  } else if (item.type === 'message') {
    const text = items.isWithoutText(outputIndex) ? textOf(item) : '';
    if (text !== '') yield position.text(text, sequenceNumber);
  } else if (isNativePart(item)) yield position.nativePart({ ...item }, sequenceNumber);
}

function* wholeReasoning(
  reasoning: ResponseReasoningItem,
  item: number,
  position: ResponsePosition,
): Generator<ProviderEvent> {
  for (const [part, text] of partsOf(reasoning)) {
    if (text === '') continue;
    const separator = (position.cursor.reasoningChars ?? 0) > 0 ? PART_SEPARATOR : '';
    yield position.reasoning(`${separator}${text}`, { item, part });
  }
}

function textOf({ content }: Extract<ResponseOutputItem, { type: 'message' }>): string {
  return (content ?? []).map((part) => (part.type === 'output_text' ? part.text : '')).join('');
}

/** Some servers answer whole, although a stream was requested: they send no event, but the response. */
function isWhole(event: object): event is OpenAiResponse {
  return !('type' in event) && 'object' in event && event.object === 'response';
}

function* mapWhole(
  response: OpenAiResponse,
  position: ResponsePosition,
  { mayBeEmpty }: { readonly mayBeEmpty: boolean },
): Generator<ProviderEvent> {
  if (!Array.isArray(response.output)) throw malformed('a response without output');
  yield position.accepted(response.id);
  // It may still run, and can be polled.
  if (response.status === 'queued' || response.status === 'in_progress') throw streamCut();
  yield* newEvents(response, position);
  yield* endResponse(response, position, { mayBeEmpty, refusal: '' });
}
