/**
 * The items of a response's output, and the stream events that open, extend and close each. Source: the types of the
 * official client, ResponseStreamEvent and ResponseOutputItem.
 */
import type {
  ResponseCustomToolCall,
  ResponseFunctionToolCall,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import type { NativePart } from '../../../contracts/content.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { isJson } from '../../../contracts/json.ts';
import { customToolInput } from '../../../contracts/responses-tools.ts';
import type { TokenLogprob } from '../../../contracts/token-logprobs.ts';
import type { Terminal } from '../answer.ts';
import { toOpenAiLogprobs } from '../openai-logprobs.ts';
import { pictureIn } from '../picture.ts';
import type { ReasoningItem } from './reasoning-item.ts';
import type { WireResponse } from './response-object.ts';

type Numbered<Event> = Event extends { response: unknown }
  ? Omit<Event, 'response' | 'sequence_number'> & { response: WireResponse }
  : Omit<Event, 'sequence_number'>;
/** An event without its number. */
export type Unnumbered = Numbered<ResponseStreamEvent>;

export type ItemKind = 'message' | 'reasoning' | 'call' | 'native' | 'compaction';

/** A call as its client knows it. */
export interface OutputCall {
  readonly id: string;
  readonly name: string;
  readonly namespace?: string;
  /** Whether its tool takes plain text: its item has the text, once that is whole. */
  readonly isCustom?: boolean;
}

/** An item of the output while it grows; its deltas joined are its text or arguments. */
export interface Item {
  readonly kind: ItemKind;
  readonly index: number;
  readonly id: string;
  readonly deltas: string[];
  readonly annotations: Record<string, unknown>[];
  /** Of the tokens of its text. */
  readonly logprobs: TokenLogprob[];
  readonly call: OutputCall;
  readonly phase: string | undefined;
  /** An item of the vendor's, as it is. */
  readonly native: Readonly<Record<string, unknown>>;
  readonly reasoning: ReasoningItem;
  refusal: string | null;
  open: boolean;
  /** Once it is closed: what it was then, whatever the answer does later. */
  status: Status;
}

type NativeFormat = Pick<NativePart, 'format' | 'value'>;

export function positionOf({ index, id }: Item) {
  return { output_index: index, item_id: id };
}

export function openingFrames(item: Item): Unnumbered[] {
  const { kind, index: output_index, id: item_id } = item;
  const added: Unnumbered = {
    type: 'response.output_item.added',
    output_index,
    item: emptyOutputItem(item, 'in_progress'),
  };
  if (kind !== 'message') return [added];
  const part = { type: 'output_text' as const, text: '', annotations: [], logprobs: [] };
  return [added, { type: 'response.content_part.added', output_index, item_id, content_index: 0, part }];
}

export function deltaFrames(
  { kind, index: output_index, id: item_id, call }: Item,
  delta: string,
  logprobs: readonly TokenLogprob[] = [],
): Unnumbered[] {
  const position = { output_index, item_id, delta };
  if (kind === 'call' && call.isCustom === true) return [];
  if (kind === 'call') return [{ type: 'response.function_call_arguments.delta', ...position }];
  const own = { content_index: 0, logprobs: toOpenAiLogprobs(logprobs) };
  return [{ type: 'response.output_text.delta', ...position, ...own }];
}

export function annotationFrame(item: Item, annotation: Record<string, unknown>): Unnumbered {
  const { index: output_index, id: item_id } = item;
  const annotation_index = item.annotations.length;
  item.annotations.push(annotation);
  return {
    type: 'response.output_text.annotation.added',
    output_index,
    item_id,
    content_index: 0,
    annotation_index,
    annotation: annotation as never,
  };
}

/** An item that only this format has: it comes whole. */
/** An item of this format, or a picture as such an item; null: this format has no place for it. */
export function nativeItemOf(part: NativeFormat): Item['native'] | null {
  if (part.format === 'openai-responses') return part.value;
  const bytes = pictureIn(part)?.base64 ?? null;
  return bytes === null ? null : { type: 'image_generation_call', status: 'completed', result: bytes };
}

export function nativeFrames(item: Item): Unnumbered[] {
  item.open = false;
  item.status = 'completed';
  const whole = outputItem(item);
  return [
    { type: 'response.output_item.added', output_index: item.index, item: whole },
    doneFrame(item, whole),
  ];
}

/** The words of a refusal, after the text of the message if it has any. `closeItem` ends them. */
export function refusalFrames(item: Item, refusal: string): Unnumbered[] {
  const { index: output_index, id: item_id } = item;
  const frames: Unnumbered[] =
    item.deltas.length > 0
      ? textDoneFrames(item)
      : [{ type: 'response.output_item.added', output_index, item: emptyOutputItem(item, 'in_progress') }];
  item.refusal = refusal;
  const position = { output_index, item_id, content_index: item.deltas.length > 0 ? 1 : 0 };
  const empty = { type: 'refusal' as const, refusal: '' };
  return [
    ...frames,
    { type: 'response.content_part.added', ...position, part: empty },
    { type: 'response.refusal.delta', ...position, delta: refusal },
    { type: 'response.refusal.done', ...position, refusal },
    { type: 'response.content_part.done', ...position, part: { ...empty, refusal } },
  ];
}

function textDoneFrames(item: Item): Unnumbered[] {
  const { index: output_index, id: item_id } = item;
  const text = item.deltas.join('');
  const position = { output_index, item_id, content_index: 0 };
  return [
    { type: 'response.output_text.done', ...position, text, logprobs: toOpenAiLogprobs(item.logprobs) },
    { type: 'response.content_part.done', ...position, part: textPart(item, text) },
  ];
}

function textPart({ annotations, logprobs }: Item, text: string) {
  const own = { annotations: annotations as never[], logprobs: toOpenAiLogprobs(logprobs) };
  return { type: 'output_text' as const, text, ...own };
}

export function closeItem(item: Item, status: EndStatus): Unnumbered[] {
  item.open = false;
  item.status = status;
  const { kind, index: output_index, id: item_id } = item;
  const text = item.deltas.join('');
  const done = doneFrame(item, outputItem(item));
  if (kind === 'call' && item.call.isCustom === true) {
    const input = customToolInput(text);
    const position = { output_index, item_id };
    const delta: Unnumbered = { type: 'response.custom_tool_call_input.delta', ...position, delta: input };
    return [
      ...(input === '' ? [] : [delta]),
      { type: 'response.custom_tool_call_input.done', ...position, input },
      done,
    ];
  }
  if (kind === 'call') {
    const { name } = item.call;
    return [
      { type: 'response.function_call_arguments.done', output_index, item_id, name, arguments: text },
      done,
    ] as Unnumbered[];
  }
  if (kind === 'message') {
    return item.refusal === null ? [...textDoneFrames(item), done] : [done];
  }
  return [...item.reasoning.closingFrames(positionOf(item)), done];
}

export function doneFrame({ index: output_index }: Item, item: ResponseOutputItem): Unnumbered {
  return { type: 'response.output_item.done', output_index, item };
}

/** Ends after which the last item is not whole. */
const CUT: ReadonlySet<FinishReason> = new Set(['length', 'content-filter']);

type Status = 'in_progress' | 'completed' | 'incomplete';

type EndStatus = Exclude<Status, 'in_progress'>;

/** What an item that is open to the end then is: a cut is in the last, and in a call without whole arguments. */
export function endStatus(item: Item, last: Item | undefined, end: Terminal): EndStatus {
  if (end.type === 'generation-end' && !CUT.has(end.finishReason)) return 'completed';
  const isWhole = item !== last && (item.kind !== 'call' || isJson(item.deltas.join('')));
  return isWhole ? 'completed' : 'incomplete';
}

export function outputItem(item: Item): ResponseOutputItem {
  return buildOutputItem(item, item.open ? 'in_progress' : item.status, item.deltas.join(''));
}

export function emptyOutputItem(item: Item, status: Status): ResponseOutputItem {
  const built = buildOutputItem(item, status, '');
  if (built.type === 'message') return { ...built, content: [] };
  if (built.type !== 'reasoning') return built;
  const { encrypted_content: _, ...rest } = built;
  return { ...rest, summary: [] };
}

function buildOutputItem(item: Item, status: Status, text: string): ResponseOutputItem {
  const { kind, id, call, phase, refusal, reasoning } = item;
  if (kind === 'native' || kind === 'compaction') {
    return { id, ...item.native } as unknown as ResponseOutputItem;
  }
  if (kind === 'message') {
    const isRefusalAlone = refusal !== null && text === '';
    return {
      id,
      type: 'message',
      role: 'assistant',
      status,
      content: [
        ...(isRefusalAlone ? [] : [textPart(item, text)]),
        ...(refusal === null ? [] : [{ type: 'refusal' as const, refusal }]),
      ],
      ...(phase === undefined ? {} : { phase: phase as 'commentary' }),
    } satisfies ResponseOutputMessage;
  }
  if (kind === 'reasoning') return reasoning.build(id, status);
  const called = {
    id,
    status,
    call_id: call.id,
    name: call.name,
    ...(call.namespace === undefined ? {} : { namespace: call.namespace }),
  };
  if (call.isCustom === true) {
    const custom = { type: 'custom_tool_call' as const, ...called, input: customToolInput(text) };
    return custom satisfies ResponseCustomToolCall;
  }
  return { type: 'function_call' as const, ...called, arguments: text } satisfies ResponseFunctionToolCall;
}
