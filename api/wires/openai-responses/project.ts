/**
 * The log -> the events of OpenAI's Responses stream. Pure: the same log gives the same events under the same
 * `sequence_number`, from 0 and without gaps, so `starting_after=N` is a fold from the first event that skips N+1.
 *
 *     generation-start    response.created, response.in_progress (0 and 1)
 *     text-delta          response.output_text.delta, after the two events that open a message
 *     reasoning-delta     response.reasoning_summary_text.delta, likewise
 *     tool-call-delta     response.function_call_arguments.delta, likewise
 *     text-reset          response.output_item.done for each open item: `incomplete`, its content empty. The items that
 *                         follow have new ids and indices, and the finished response holds only those.
 *     the terminal event  the events that close what is open, then response.completed, .incomplete or .failed
 */
import type {
  ResponseFunctionToolCall,
  ResponseOutputItem,
  ResponseOutputMessage,
  ResponseReasoningItem,
  ResponseStreamEvent,
} from 'openai/resources/responses/responses';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { Terminal } from '../answer.ts';
import { idIn, type Projection } from '../wire.ts';
import { type ResponseContext, responseObject, type WireResponse } from './response-object.ts';

type Numbered<Event> = Event extends { response: unknown }
  ? Omit<Event, 'response' | 'sequence_number'> & { response: WireResponse }
  : Omit<Event, 'sequence_number'>;
/** An event before it has its number. */
type Unnumbered = Numbered<ResponseStreamEvent>;
export type ResponseFrame = Unnumbered & { readonly sequence_number: number };

/** An item of the output while it grows. `pieces` joined are its text or arguments. */
interface Item {
  readonly kind: 'message' | 'reasoning' | 'call';
  readonly index: number;
  readonly id: string;
  readonly pieces: string[];
  readonly call: { readonly id: string; readonly name: string };
  open: boolean;
}

export interface ResponseProjection extends Projection<ResponseFrame> {
  /** The response as it stands after the events so far. */
  response(): WireResponse;
}

export function projectResponse(context: ResponseContext): ResponseProjection {
  let sequence = 0;
  let items: Item[] = [];
  let made = 0;
  let startedAtMs = 0;
  let model: string | null = null;
  let end: Terminal | null = null;
  const calls = new Map<number, Item>();

  const response = () =>
    responseObject(context, { startedAtMs, model, output: items.map((item) => itemOf(item, end)), end });

  const openItem = (kind: Item['kind'], call = { id: '', name: '' }): readonly [Item, Unnumbered[]] => {
    const prefix = { message: 'msg_', reasoning: 'rs_', call: 'fc_' }[kind];
    const id = `${idIn(prefix, context.generationId)}_${made}`;
    const item: Item = { kind, index: made, id, pieces: [], call, open: true };
    made += 1;
    items.push(item);
    return [item, openingOf(item)];
  };
  /** Text and reasoning follow each other; calls may come side by side, so they stay open to the end. */
  const textItem = (kind: 'message' | 'reasoning'): readonly [Item, Unnumbered[]] => {
    const open = items.find((item) => item.open && item.kind !== 'call');
    if (open?.kind === kind) return [open, []];
    const closing = open === undefined ? [] : closeItem(open);
    const [item, opening] = openItem(kind);
    return [item, [...closing, ...opening]];
  };

  const unnumbered = (event: GenerationEvent): Unnumbered[] => {
    switch (event.type) {
      case 'generation-start':
        startedAtMs = event.at;
        return [
          { type: 'response.created', response: response() },
          { type: 'response.in_progress', response: response() },
        ];
      case 'provider-start':
      case 'cache-hit':
        model = `${event.provider}/${event.model}`;
        return [];
      case 'text-delta':
      case 'reasoning-delta': {
        const [item, opening] = textItem(event.type === 'text-delta' ? 'message' : 'reasoning');
        item.pieces.push(event.text);
        return [...opening, deltaOf(item, event.text)];
      }
      case 'tool-call-delta': {
        const known = calls.get(event.index);
        const [item, opening] = known === undefined ? openItem('call', event) : [known, []];
        calls.set(event.index, item);
        if (event.arguments === '') return opening;
        item.pieces.push(event.arguments);
        return [...opening, deltaOf(item, event.arguments)];
      }
      case 'text-reset': {
        const voided = items;
        items = [];
        calls.clear();
        return voided.filter(({ open }) => open).map((item) => doneOf(item, emptied(item)));
      }
      case 'generation-end':
      case 'generation-error':
      case 'generation-cancel': {
        const closing = items.filter(({ open }) => open).flatMap((item) => closeItem(item, event));
        end = event;
        return [...closing, endOf(response())];
      }
      default:
        return [];
    }
  };

  return {
    response,
    push: (event) =>
      unnumbered(event).map((one) => {
        const frame: ResponseFrame = { ...one, sequence_number: sequence };
        sequence += 1;
        return frame;
      }),
  };
}

function openingOf(item: Item): Unnumbered[] {
  const { kind, index: output_index, id: item_id } = item;
  const added: Unnumbered = {
    type: 'response.output_item.added',
    output_index,
    item: inProgress(item),
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

function deltaOf({ kind, index: output_index, id: item_id }: Item, delta: string): Unnumbered {
  const about = { output_index, item_id, delta };
  if (kind === 'call') return { type: 'response.function_call_arguments.delta', ...about };
  if (kind === 'message')
    return { type: 'response.output_text.delta', ...about, content_index: 0, logprobs: [] };
  return { type: 'response.reasoning_summary_text.delta', ...about, summary_index: 0 };
}

/** Whole, or as far as it came where the generation ended without an answer. */
function closeItem(item: Item, end?: Terminal): Unnumbered[] {
  item.open = false;
  const { kind, index: output_index, id: item_id } = item;
  const text = item.pieces.join('');
  const done = doneOf(item, itemOf(item, end ?? null));
  if (kind === 'call') {
    const { name } = item.call;
    return [
      { type: 'response.function_call_arguments.done', output_index, item_id, name, arguments: text },
      done,
    ] as Unnumbered[];
  }
  if (kind === 'message') {
    const about = { output_index, item_id, content_index: 0 };
    const part = { type: 'output_text' as const, text, annotations: [], logprobs: [] };
    return [
      { type: 'response.output_text.done', ...about, text, logprobs: [] },
      { type: 'response.content_part.done', ...about, part },
      done,
    ];
  }
  const about = { output_index, item_id, summary_index: 0 };
  const part = { type: 'summary_text' as const, text };
  return [
    { type: 'response.reasoning_summary_text.done', ...about, text },
    { type: 'response.reasoning_summary_part.done', ...about, part },
    done,
  ];
}

function doneOf({ index: output_index }: Item, item: ResponseOutputItem): Unnumbered {
  return { type: 'response.output_item.done', output_index, item };
}

type Status = 'in_progress' | 'completed' | 'incomplete';

function itemOf(item: Item, end: Terminal | null): ResponseOutputItem {
  const wasCut = end !== null && (end.type !== 'generation-end' || end.finishReason === 'length');
  const status = item.open ? 'in_progress' : wasCut ? 'incomplete' : 'completed';
  return build(item, status, item.pieces.join(''));
}

function inProgress(item: Item): ResponseOutputItem {
  return emptyWith(item, 'in_progress');
}

function emptied(item: Item): ResponseOutputItem {
  return emptyWith(item, 'incomplete');
}

function emptyWith(item: Item, status: Status): ResponseOutputItem {
  const built = build(item, status, '');
  if (built.type === 'message') return { ...built, content: [] };
  return built.type === 'reasoning' ? { ...built, summary: [] } : built;
}

function build({ kind, id, call }: Item, status: Status, text: string) {
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

function endOf(response: WireResponse): Unnumbered {
  if (response.status === 'completed') return { type: 'response.completed', response };
  // A cancelled response has no event of its own in this API; its status says it.
  return response.status === 'failed'
    ? { type: 'response.failed', response }
    : { type: 'response.incomplete', response };
}
