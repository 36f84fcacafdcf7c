/**
 * Folds a log into the events of OpenAI's Responses stream. The same log always gives the same events with the same
 * `sequence_number`, from 0 and without gaps. So `starting_after=N` folds from the first event and skips up to N.
 *
 *     generation-start    response.created, response.in_progress (0 and 1)
 *     text-delta          response.output_text.delta, after the two events that open a message
 *     reasoning-delta     response.reasoning_summary_text.delta, likewise
 *     tool-call-delta     response.function_call_arguments.delta, likewise
 *     text-reset          response.output_item.done for each open item: `incomplete`, its content empty. Later items
 *                         have new ids and indices, and the finished response holds only those.
 *     the terminal event  the events that close what is open, then response.completed, .incomplete or .failed
 */
import type {
  ResponseFunctionToolCall,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseReasoningItem,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import { candidateName } from '../../../contracts/candidate.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { Terminal } from '../answer.ts';
import { type Projection, wireId } from '../wire.ts';
import { type ResponseContext, responseObject, type WireResponse } from './response-object.ts';

type Numbered<Event> = Event extends { response: unknown }
  ? Omit<Event, 'response' | 'sequence_number'> & { response: WireResponse }
  : Omit<Event, 'sequence_number'>;
type Unnumbered = Numbered<ResponseStreamEvent>;
type ToolCallDelta = Extract<GenerationEvent, { type: 'tool-call-delta' }>;
export type ResponseFrame = Unnumbered & { readonly sequence_number: number };

type ItemKind = 'message' | 'reasoning' | 'call';

/** An item of the output while it grows; its deltas joined are its text or arguments. */
interface Item {
  readonly kind: ItemKind;
  readonly index: number;
  readonly id: string;
  readonly deltas: string[];
  readonly call: { readonly id: string; readonly name: string };
  open: boolean;
}

const ID_PREFIXES: Readonly<Record<ItemKind, string>> = { message: 'msg_', reasoning: 'rs_', call: 'fc_' };

export class ResponseProjection implements Projection<ResponseFrame> {
  readonly #context: ResponseContext;
  readonly #calls = new Map<number, Item>();
  #nextSequence = 0;
  #items: Item[] = [];
  #nextIndex = 0;
  #startedAtMs = 0;
  #model: string | null = null;
  #end: Terminal | null = null;

  constructor(context: ResponseContext) {
    this.#context = context;
  }

  /** The response as it stands after the events so far. */
  response(): WireResponse {
    return responseObject(this.#context, {
      startedAtMs: this.#startedAtMs,
      model: this.#model,
      output: this.#items.map((item) => outputItem(item, this.#end)),
      end: this.#end,
    });
  }

  push(event: GenerationEvent): readonly ResponseFrame[] {
    return this.#unnumbered(event).map((unnumbered) => {
      const frame: ResponseFrame = { ...unnumbered, sequence_number: this.#nextSequence };
      this.#nextSequence += 1;
      return frame;
    });
  }

  #unnumbered(event: GenerationEvent): Unnumbered[] {
    switch (event.type) {
      case 'generation-start':
        this.#startedAtMs = event.at;
        return [
          { type: 'response.created', response: this.response() },
          { type: 'response.in_progress', response: this.response() },
        ];
      case 'provider-start':
      case 'cache-hit':
        this.#model = candidateName(event);
        return [];
      case 'text-delta':
        return this.#textDelta('message', event.text);
      case 'reasoning-delta':
        return this.#textDelta('reasoning', event.text);
      case 'tool-call-delta':
        return this.#toolCallDelta(event);
      case 'text-reset':
        return this.#voidItems();
      case 'generation-end':
      case 'generation-error':
      case 'generation-cancel': {
        const closing = this.#items.filter(({ open }) => open).flatMap((item) => closeItem(item, event));
        this.#end = event;
        return [...closing, endFrame(this.response())];
      }
      default:
        return [];
    }
  }

  /** Text and reasoning never overlap: the one that begins closes the other. Calls stay open to the end. */
  #textDelta(kind: 'message' | 'reasoning', delta: string): Unnumbered[] {
    const open = this.#items.find((item) => item.open && item.kind !== 'call');
    const opening: Unnumbered[] = [];
    let item = open?.kind === kind ? open : undefined;
    if (item === undefined) {
      if (open !== undefined) opening.push(...closeItem(open, null));
      item = this.#addItem(kind);
      opening.push(...openingFrames(item));
    }
    item.deltas.push(delta);
    return [...opening, deltaFrame(item, delta)];
  }

  /** Deltas of several calls may be interleaved. */
  #toolCallDelta({ index, id, name, arguments: delta }: ToolCallDelta): Unnumbered[] {
    const started = this.#calls.get(index);
    const item = started ?? this.#addItem('call', { id, name });
    const opening = started === undefined ? openingFrames(item) : [];
    this.#calls.set(index, item);
    if (delta === '') return opening;
    item.deltas.push(delta);
    return [...opening, deltaFrame(item, delta)];
  }

  #voidItems(): Unnumbered[] {
    const voided = this.#items;
    this.#items = [];
    this.#calls.clear();
    return voided
      .filter(({ open }) => open)
      .map((item) => doneFrame(item, emptyOutputItem(item, 'incomplete')));
  }

  #addItem(kind: ItemKind, call = { id: '', name: '' }): Item {
    const index = this.#nextIndex;
    const id = `${wireId(ID_PREFIXES[kind], this.#context.generationId)}_${index}`;
    const item: Item = { kind, index, id, deltas: [], call, open: true };
    this.#nextIndex += 1;
    this.#items.push(item);
    return item;
  }
}

function openingFrames(item: Item): Unnumbered[] {
  const { kind, index: output_index, id: item_id } = item;
  const added: Unnumbered = {
    type: 'response.output_item.added',
    output_index,
    item: emptyOutputItem(item, 'in_progress'),
  };
  if (kind === 'call') return [added];
  if (kind === 'message') {
    const part = { type: 'output_text' as const, text: '', annotations: [], logprobs: [] };
    return [added, { type: 'response.content_part.added', output_index, item_id, content_index: 0, part }];
  }
  const part = { type: 'summary_text' as const, text: '' };
  return [
    added,
    { type: 'response.reasoning_summary_part.added', output_index, item_id, summary_index: 0, part },
  ];
}

function deltaFrame({ kind, index: output_index, id: item_id }: Item, delta: string): Unnumbered {
  const position = { output_index, item_id, delta };
  if (kind === 'call') return { type: 'response.function_call_arguments.delta', ...position };
  if (kind === 'message')
    return { type: 'response.output_text.delta', ...position, content_index: 0, logprobs: [] };
  return { type: 'response.reasoning_summary_text.delta', ...position, summary_index: 0 };
}

/** @param end null while the generation runs; else decides whether the item counts as complete. */
function closeItem(item: Item, end: Terminal | null): Unnumbered[] {
  item.open = false;
  const { kind, index: output_index, id: item_id } = item;
  const text = item.deltas.join('');
  const done = doneFrame(item, outputItem(item, end));
  if (kind === 'call') {
    const { name } = item.call;
    return [
      { type: 'response.function_call_arguments.done', output_index, item_id, name, arguments: text },
      done,
    ] as Unnumbered[];
  }
  if (kind === 'message') {
    const position = { output_index, item_id, content_index: 0 };
    const part = { type: 'output_text' as const, text, annotations: [], logprobs: [] };
    return [
      { type: 'response.output_text.done', ...position, text, logprobs: [] },
      { type: 'response.content_part.done', ...position, part },
      done,
    ];
  }
  const position = { output_index, item_id, summary_index: 0 };
  const part = { type: 'summary_text' as const, text };
  return [
    { type: 'response.reasoning_summary_text.done', ...position, text },
    { type: 'response.reasoning_summary_part.done', ...position, part },
    done,
  ];
}

function doneFrame({ index: output_index }: Item, item: ResponseOutputItem): Unnumbered {
  return { type: 'response.output_item.done', output_index, item };
}

type Status = 'in_progress' | 'completed' | 'incomplete';

function outputItem(item: Item, end: Terminal | null): ResponseOutputItem {
  const wasCut = end !== null && (end.type !== 'generation-end' || end.finishReason === 'length');
  const status = item.open ? 'in_progress' : wasCut ? 'incomplete' : 'completed';
  return buildOutputItem(item, status, item.deltas.join(''));
}

function emptyOutputItem(item: Item, status: Status): ResponseOutputItem {
  const built = buildOutputItem(item, status, '');
  if (built.type === 'message') return { ...built, content: [] };
  return built.type === 'reasoning' ? { ...built, summary: [] } : built;
}

function buildOutputItem({ kind, id, call }: Item, status: Status, text: string) {
  if (kind === 'message') {
    return {
      id,
      type: 'message',
      role: 'assistant',
      status,
      content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
    } satisfies ResponseOutputMessage as ResponseOutputMessage;
  }
  if (kind === 'reasoning') {
    const summary = [{ type: 'summary_text' as const, text }];
    return {
      id,
      type: 'reasoning',
      status,
      summary,
    } satisfies ResponseReasoningItem as ResponseReasoningItem;
  }
  return {
    id,
    type: 'function_call',
    status,
    call_id: call.id,
    name: call.name,
    arguments: text,
  } satisfies ResponseFunctionToolCall as ResponseFunctionToolCall;
}

function endFrame(response: WireResponse): Unnumbered {
  if (response.status === 'completed') return { type: 'response.completed', response };
  // This API has no event for a cancelled response; the status in `response.incomplete` says it.
  return response.status === 'failed'
    ? { type: 'response.failed', response }
    : { type: 'response.incomplete', response };
}
