/**
 * Sends a call, and maps the events of its response to ours. Source: OpenAI API reference, "Streaming events" of
 * Responses.
 */
import type OpenAI from 'openai';
import type {
  Response as OpenAiResponse,
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
import { isCall } from './call-items.ts';
import { endResponse, inBandError } from './end-response.ts';
import {
  annotationsOfMessage,
  refusalOfMessage,
  refusalOfPart,
  textOfMessage,
  textOfPart,
} from './message-content.ts';
import { isRunning, newContent, newEvents, partsOf } from './poll.ts';
import { isNativePart, ResponsePosition } from './position.ts';
import { ReasoningParts } from './reasoning-parts.ts';
import { refusesReasoning, withoutReasoning } from './refused-reasoning.ts';
import { buildOpenAiResponseRequest, type ResponseMode } from './request.ts';
import { StreamedCalls } from './streamed-calls.ts';
import { StreamedItems } from './streamed-items.ts';

export async function* streamOpenAiResponse(
  client: OpenAI,
  call: ProviderCall,
  { isBackground, reasons, link }: ResponseMode & { readonly link: Link },
): AsyncGenerator<ProviderEvent> {
  const headers = { 'Idempotency-Key': call.idempotencyKey };
  const request = buildOpenAiResponseRequest(call, { isBackground, reasons });
  const { signal } = link;
  const mayEnd = { mayBeEmpty: mayBeEmpty(call) };
  async function* answerTo(body: typeof request, position: ResponsePosition): AsyncGenerator<ProviderEvent> {
    const response = await client.responses.create(body, { signal, headers }).asResponse();
    yield* mapOpenAiResponseStream(new OpenAiEvents<ResponseStreamEvent>(response, link), position, mayEnd);
  }
  const position = new ResponsePosition(null, { isStored: isBackground });
  try {
    yield* answerTo(request, position);
  } catch (error) {
    const readable = !position.hasContent && refusesReasoning(error) ? withoutReasoning(request) : null;
    if (readable === null) throw error;
    yield* answerTo(readable, new ResponsePosition(null, { isStored: isBackground }));
  }
}

/** @param mayBeEmpty whether an answer without content is complete. */
export async function* mapOpenAiResponseStream(
  stream: AsyncIterable<ResponseStreamEvent>,
  position: ResponsePosition,
  { mayBeEmpty }: { readonly mayBeEmpty: boolean },
): AsyncGenerator<ProviderEvent> {
  const isWholeStream = position.cursor.sequenceNumber < 0;
  const streamed: Streamed = {
    items: new StreamedItems({ isWhole: isWholeStream }),
    thoughts: new StreamedItems({ isWhole: isWholeStream }),
    undelivered: new Set(),
    calls: new StreamedCalls(position),
    parts: new ReasoningParts(),
    refusals: new Map(),
  };
  for await (const event of stream) {
    if (isWhole(event)) {
      yield* mapWhole(event, position, { mayBeEmpty });
      return;
    }
    if (ENDS.has(event.type)) {
      const response = endedBy(event);
      yield* unstreamed(response, position);
      const refusal = [...streamed.refusals.values()].join('\n\n');
      yield* endResponse(response, position, { mayBeEmpty, refusal });
      return;
    }
    yield* mapEvent(event, position, streamed);
  }
  throw streamCut();
}

/** What the events so far have shown. */
interface Streamed {
  readonly items: StreamedItems;
  readonly thoughts: StreamedItems;
  /** Items of reasoning of which no part has had deltas. */
  readonly undelivered: Set<number>;
  readonly calls: StreamedCalls;
  readonly parts: ReasoningParts;
  /** The words with which the model declined, by item. */
  readonly refusals: Map<number, string>;
}

function* mapEvent(
  event: ResponseStreamEvent,
  position: ResponsePosition,
  streamed: Streamed,
): Generator<ProviderEvent> {
  const { sequence_number: sequenceNumber } = event;
  const { items, thoughts, undelivered, calls, parts, refusals } = streamed;
  switch (event.type) {
    case 'response.created':
      yield position.accepted(event.response.id, sequenceNumber);
      break;
    case 'response.output_text.delta':
      items.noteText(event.output_index, textOfDelta(event.delta));
      yield position.text(event.delta, sequenceNumber, readOpenAiLogprobs(event.logprobs));
      break;
    case 'response.output_text.done':
      yield* unstreamedText(event, String(event.text ?? ''), position, streamed);
      break;
    case 'response.content_part.done':
      yield* unstreamedText(event, textOfPart(event.part), position, streamed);
      noteRefusal(refusals, event.output_index, refusalOfPart(event.part));
      break;
    case 'response.reasoning_summary_text.delta':
    case 'response.reasoning_text.delta': {
      const delta = textOfDelta(event.delta);
      thoughts.noteText(event.output_index, delta);
      undelivered.delete(event.output_index);
      const { separator, place } = parts.next(event, position.cursor.reasoningChars ?? 0);
      yield position.reasoning(`${separator}${delta}`, place, sequenceNumber);
      break;
    }
    case 'response.reasoning_summary_text.done':
    case 'response.reasoning_text.done':
      yield* unstreamedThought(event, position, streamed);
      break;
    case 'response.output_item.done':
      yield* endItem(event, position, streamed);
      break;
    case 'response.output_item.added':
      for (const known of [items, thoughts]) known.noteStart(event.output_index);
      yield* startItem(event, position, calls);
      break;
    case 'response.output_text.annotation.added':
      items.noteAnnotation(event.output_index);
      yield position.annotation({ ...(event.annotation as object) }, sequenceNumber);
      break;
    case 'response.function_call_arguments.delta':
      yield* calls.delta(event);
      break;
    case 'response.function_call_arguments.done':
      yield* calls.end(event);
      break;
    case 'response.refusal.delta':
      refusals.set(
        event.output_index,
        `${refusals.get(event.output_index) ?? ''}${textOfDelta(event.delta)}`,
      );
      break;
    case 'response.refusal.done':
      noteRefusal(refusals, event.output_index, event.refusal);
      break;
    case 'error':
      throw inBandError(event.code || 'server_error', event.message);
    default:
      parts.note(event);
  }
}

/** The words as a whole, from an event that ends them. */
function noteRefusal(refusals: Map<number, string>, outputIndex: number, whole: unknown): void {
  if (typeof whole === 'string' && whole !== '') refusals.set(outputIndex, whole);
}

interface TextEvent {
  readonly output_index: number;
  readonly sequence_number: number;
}

/** The text of a part whose server sends no deltas of it; the rest of others comes with the end of the item. */
function* unstreamedText(
  { output_index: outputIndex, sequence_number: sequenceNumber }: TextEvent,
  whole: string,
  position: ResponsePosition,
  { items }: Streamed,
): Generator<ProviderEvent> {
  if (whole === '' || !items.isWithoutText(outputIndex)) return;
  items.noteText(outputIndex, whole);
  yield position.text(whole, sequenceNumber);
}

type ThoughtDone = Extract<
  ResponseStreamEvent,
  { type: 'response.reasoning_summary_text.done' | 'response.reasoning_text.done' }
>;

/** The same of reasoning, each part of which ends by itself. */
function* unstreamedThought(
  event: ThoughtDone,
  position: ResponsePosition,
  { thoughts, undelivered, parts }: Streamed,
): Generator<ProviderEvent> {
  const { output_index: item, text, sequence_number: sequenceNumber } = event;
  if (!text || !(thoughts.isWithoutText(item) || undelivered.has(item))) return;
  undelivered.add(item);
  thoughts.noteText(item, text);
  const { separator, place } = parts.next(event, position.cursor.reasoningChars ?? 0);
  yield position.reasoning(`${separator}${text}`, place, sequenceNumber);
}

/** Some servers break off with `response.error`. */
const FAILS: ReadonlySet<string> = new Set(['response.failed', 'response.error']);
/** The last event. Some servers end with `response.done`. */
const ENDS: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.cancelled',
  'response.done',
  ...FAILS,
]);

/** The response of a last event, or what its type says where a server leaves the response out. */
function endedBy(event: ResponseStreamEvent): OpenAiResponse {
  const { type, ...fields } = event;
  const { response, code, message } = fields as { response?: unknown; code?: unknown; message?: unknown };
  if (isJsonObject(response))
    return { ...response, ...statusOf(type, response) } as unknown as OpenAiResponse;
  if (!FAILS.has(type)) {
    return { status: type === 'response.incomplete' ? 'incomplete' : 'completed' } as OpenAiResponse;
  }
  const words = typeof message === 'string' && message !== '' ? message : 'The response failed.';
  throw inBandError(typeof code === 'string' ? code : 'server_error', words);
}

/** The event says how it ended, where the response in it counts as complete. */
function statusOf(
  type: string,
  { status, incomplete_details: details }: Readonly<Record<string, unknown>>,
): Partial<OpenAiResponse> {
  if (status === 'cancelled' || status === 'failed') return {};
  if (type === 'response.failed') return { status: 'failed' };
  const isCut = isJsonObject(details) && typeof details['reason'] === 'string';
  return type === 'response.incomplete' || isCut ? { status: 'incomplete' } : {};
}

/** The content of a server that sends nothing before its last event. */
function* unstreamed(response: OpenAiResponse, position: ResponsePosition): Generator<ProviderEvent> {
  if (!Array.isArray(response.output)) return;
  if (!position.hasContent) yield* newContent(response, position);
  // Of several messages, the log has no place for what belongs to an earlier one.
  const [message, ...others] = response.output.filter((item) => item.type === 'message');
  if (message === undefined || others.length > 0) return;
  for (const annotation of annotationsOfMessage(message).slice(position.cursor.annotations ?? 0)) {
    yield position.annotation({ ...annotation });
  }
}

type ItemAdded = Extract<ResponseStreamEvent, { type: 'response.output_item.added' }>;

function* startItem(
  event: ItemAdded,
  position: ResponsePosition,
  calls: StreamedCalls,
): Generator<ProviderEvent> {
  const { item, sequence_number: sequenceNumber } = event;
  if (item.type === 'message') yield* position.startMessage(item.phase, sequenceNumber);
  else if (isCall(item)) yield* calls.start(item, event);
}

type ItemDone = Extract<ResponseStreamEvent, { type: 'response.output_item.done' }>;

/** The whole item has what some servers send no deltas of. */
function* endItem(
  event: ItemDone,
  position: ResponsePosition,
  { items, thoughts, calls, refusals }: Streamed,
): Generator<ProviderEvent> {
  const { item, output_index: outputIndex, sequence_number: sequenceNumber } = event;
  if (item.type === 'reasoning') {
    if (thoughts.isWithoutText(outputIndex)) yield* wholeReasoning(item, outputIndex, position);
    if (item.encrypted_content) yield position.reasoningData(outputIndex, { ...item }, sequenceNumber);
  } else if (isCall(item)) yield* calls.endItem(item, event);
  else if (item.type === 'message') {
    const rest = items.restOf(outputIndex, textOfMessage(item));
    if (rest !== '') {
      items.noteText(outputIndex, rest);
      yield position.text(rest, sequenceNumber);
    }
    noteRefusal(refusals, outputIndex, refusalOfMessage(item));
    for (const annotation of items.newAnnotations(outputIndex, annotationsOfMessage(item))) {
      items.noteAnnotation(outputIndex);
      yield position.annotation({ ...annotation }, sequenceNumber);
    }
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
  if (isRunning(response)) throw streamCut();
  yield* newEvents(response, position);
  yield* endResponse(response, position, { mayBeEmpty, refusal: '' });
}
