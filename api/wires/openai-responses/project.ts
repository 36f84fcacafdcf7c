/**
 * Folds a log into the events of OpenAI's Responses stream. The same log always gives the same events with the same
 * `sequence_number`, from 0 and without gaps. So `starting_after=N` folds from the first event and skips up to N.
 *
 *     generation-start    response.created, response.in_progress (0 and 1)
 *     text-delta          response.output_text.delta, after the two events that open a message
 *     reasoning-delta     response.reasoning_summary_text.delta, likewise
 *     reasoning-seal      encrypted_content of its item, if the request includes it
 *     tool-call-delta     response.function_call_arguments.delta, likewise
 *     text-start          the end of the open message: the next text begins another message
 *     annotation          response.output_text.annotation.added
 *     compaction          response.output_item.added and .done, of an item that no text-reset withdraws
 *     native-part         response.output_item.added and .done
 *     text-reset          response.output_item.done for each open item: `incomplete`, its content empty. Later items
 *                         have new ids and indices, and the finished response holds only those.
 *     the terminal event  response.refusal.delta after a refusal, the events that close what is open, then
 *                         response.completed, .incomplete or .failed
 */
import { candidateName } from '../../../contracts/candidate.ts';
import { functionTools } from '../../../contracts/content.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { MESSAGE_SEPARATOR } from '../../../contracts/fold-events.ts';
import { isCustomTool, namespaceOfTool } from '../../../contracts/responses-tools.ts';
import { type TokenLogprob, tokensOfEnd } from '../../../contracts/token-logprobs.ts';
import { refusalText, type Terminal } from '../answer.ts';
import { type ReasoningDelta, ReasoningPlaces, type ReasoningSeal } from '../reasoning.ts';
import { toResponseAnnotation } from '../url-citation.ts';
import { type Projection, wireId } from '../wire.ts';
import { NATIVE_ITEM_PREFIX } from './items.ts';
import {
  annotationFrame,
  closeItem,
  deltaFrames,
  doneFrame,
  emptyOutputItem,
  endStatus,
  type Item,
  type ItemKind,
  nativeFrames,
  nativeItemOf,
  type OutputCall,
  openingFrames,
  outputItem,
  positionOf,
  refusalFrames,
  type Unnumbered,
} from './output-items.ts';
import { ReasoningItem } from './reasoning-item.ts';
import { compactionItem } from './response-items.ts';
import { type ResponseContext, responseObject, type WireResponse } from './response-object.ts';

type ToolCallDelta = Extract<GenerationEvent, { type: 'tool-call-delta' }>;
export type ResponseFrame = Unnumbered & { readonly sequence_number: number };

const ID_PREFIXES: Readonly<Record<ItemKind, string>> = {
  message: 'msg_',
  reasoning: 'rs_',
  call: 'fc_',
  native: NATIVE_ITEM_PREFIX,
  compaction: 'cmp_',
};

interface ItemFacts extends Partial<Pick<Item, 'call' | 'phase' | 'native'>> {
  /** The item of reasoning in the log. */
  readonly source?: number | null;
}

export class ResponseProjection implements Projection<ResponseFrame> {
  readonly #context: ResponseContext;
  readonly #calls = new Map<number, Item>();
  readonly #places = new ReasoningPlaces();
  #nextSequence = 0;
  #items: Item[] = [];
  #nextIndex = 0;
  #startedAtMs = 0;
  #model: string | null = null;
  #end: Terminal | null = null;
  /** The message that the next text begins; null: it continues the open one. */
  #starts: { readonly phase: string | undefined } | null = null;
  /** How much of the blank line before that message is still to come: items are apart without it. */
  #separatorChars = 0;
  #hasText = false;

  constructor(context: ResponseContext) {
    this.#context = context;
  }

  get generationId(): string {
    return this.#context.generationId;
  }

  /** The response as it stands after the events so far. */
  response(): WireResponse {
    return responseObject(this.#context, {
      startedAtMs: this.#startedAtMs,
      model: this.#model,
      output: this.#items.map(outputItem),
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
      case 'text-start':
        if (event.part === 'message') this.#startMessage(event.phase);
        return [];
      case 'text-delta':
        return this.#text(event.text, event.logprobs);
      case 'annotation': {
        const message = this.#items.findLast((item) => item.open && item.kind === 'message');
        const annotation = toResponseAnnotation(event);
        return message === undefined || annotation === null ? [] : [annotationFrame(message, annotation)];
      }
      case 'native-part':
        return this.#nativeItem(nativeItemOf(event));
      case 'compaction': {
        const { id: _, ...native } = compactionItem('', event.sealed);
        return nativeFrames(this.#addItem('compaction', { native }));
      }
      case 'reasoning-delta':
        return this.#reasoningDelta(event);
      case 'reasoning-seal':
        return this.#seal(event);
      case 'tool-call-delta':
        return this.#toolCallDelta(event);
      case 'text-reset':
        return this.#voidItems();
      case 'generation-end':
      case 'generation-error':
      case 'generation-cancel': {
        const refusal = this.#refuse(event);
        const last = this.#items.at(-1);
        const closing = this.#items
          .filter(({ open }) => open)
          .flatMap((item) => closeItem(item, endStatus(item, last, event)));
        this.#end = event;
        return [...refusal, ...closing, endFrame(this.response())];
      }
      default:
        return [];
    }
  }

  #nativeItem(native: Item['native'] | null): Unnumbered[] {
    if (native === null) return [];
    return [...this.#closeText(), ...nativeFrames(this.#addItem('native', { native }))];
  }

  /** The message or reasoning that is open; calls stay open to the end. */
  #openText(): Item | undefined {
    return this.#items.find((item) => item.open && item.kind !== 'call');
  }

  #closeText(): Unnumbered[] {
    const open = this.#openText();
    return open === undefined ? [] : closeItem(open, 'completed');
  }

  #startMessage(phase: string | undefined): void {
    this.#starts = { phase };
    this.#separatorChars = this.#hasText ? MESSAGE_SEPARATOR.length : 0;
  }

  #text(delta: string, logprobs: readonly TokenLogprob[] = []): Unnumbered[] {
    const text = delta.slice(this.#separatorChars);
    this.#separatorChars -= delta.length - text.length;
    this.#hasText ||= delta !== '';
    // The tokens of the blank line between two messages are in neither.
    const own = text === delta ? logprobs : tokensOfEnd(logprobs, text);
    return text === '' ? [] : this.#textDelta(text, own);
  }

  /** The words of a refusal are a part of the message that it ends, or of a separate one. */
  #refuse(end: Terminal): Unnumbered[] {
    const refusal = refusalText(end);
    if (refusal === null) return [];
    const open = this.#items.find((item) => item.open && item.kind === 'message');
    return [
      ...(open === undefined ? this.#closeText() : []),
      ...refusalFrames(open ?? this.#addItem('message'), refusal),
    ];
  }

  /** Text and reasoning never overlap: the one that begins closes the other. Calls stay open to the end. */
  #textDelta(delta: string, logprobs: readonly TokenLogprob[]): Unnumbered[] {
    const open = this.#openText();
    const starts = this.#starts;
    this.#starts = null;
    const isSame = open?.kind === 'message' && starts === null;
    const { item, frames } = isSame
      ? { item: open, frames: [] }
      : this.#begin('message', { phase: starts?.phase });
    item.deltas.push(delta);
    item.logprobs.push(...logprobs);
    return [...frames, ...deltaFrames(item, delta, logprobs)];
  }

  #reasoningDelta(event: ReasoningDelta): Unnumbered[] {
    const { item: source, part, text } = this.#places.place(event);
    const open = this.#openText();
    const isSame = open?.kind === 'reasoning' && open.reasoning.source === source;
    const { item, frames } = isSame ? { item: open, frames: [] } : this.#begin('reasoning', { source });
    return [...frames, ...item.reasoning.push(part, text, positionOf(item))];
  }

  /** Of the open item; what belongs to none is a separate item, of which nothing is shown. */
  #seal({ item: source, sealed }: ReasoningSeal): Unnumbered[] {
    const open = this.#openText();
    const isOpen = open?.kind === 'reasoning' && source !== undefined && open.reasoning.source === source;
    const { item, frames } = isOpen ? { item: open, frames: [] } : this.#begin('reasoning', { source: null });
    if (this.#context.origin.includesReasoning === true) item.reasoning.seal(sealed);
    return isOpen ? [] : [...frames, ...closeItem(item, 'completed')];
  }

  /** Closes the open item, and opens the next. */
  #begin(kind: 'message' | 'reasoning', facts: ItemFacts) {
    const closing = this.#closeText();
    const item = this.#addItem(kind, facts);
    return { item, frames: [...closing, ...openingFrames(item)] };
  }

  /** Deltas of several calls may be interleaved. */
  #toolCallDelta({ index, id, name, arguments: delta }: ToolCallDelta): Unnumbered[] {
    const started = this.#calls.get(index);
    const item = started ?? this.#addItem('call', { call: this.#callOf(id, name) });
    const opening = started === undefined ? openingFrames(item) : [];
    this.#calls.set(index, item);
    if (delta === '') return opening;
    item.deltas.push(delta);
    return [...opening, ...deltaFrames(item, delta)];
  }

  /** The call under the names that the client has given its tools. */
  #callOf(id: string, name: string): OutputCall {
    const tool = functionTools(this.#context.input.tools).find((own) => own.name === name);
    const namespace = tool === undefined ? null : namespaceOfTool(tool);
    return {
      id,
      name: namespace?.tool ?? name,
      ...(namespace === null ? {} : { namespace: namespace.name }),
      ...(tool !== undefined && isCustomTool(tool) ? { isCustom: true } : {}),
    };
  }

  #voidItems(): Unnumbered[] {
    const voided = this.#items.filter(({ kind }) => kind !== 'compaction');
    this.#items = this.#items.filter(({ kind }) => kind === 'compaction');
    this.#calls.clear();
    this.#places.reset();
    this.#starts = null;
    this.#separatorChars = 0;
    this.#hasText = false;
    return voided
      .filter(({ open }) => open)
      .map((item) => doneFrame(item, emptyOutputItem(item, 'incomplete')));
  }

  #addItem(kind: ItemKind, facts: ItemFacts = {}): Item {
    const index = this.#nextIndex;
    const prefix = facts.call?.isCustom === true ? 'ctc_' : ID_PREFIXES[kind];
    const id = `${wireId(prefix, this.#context.generationId)}_${index}`;
    const item: Item = {
      kind,
      index,
      id,
      deltas: [],
      annotations: [],
      logprobs: [],
      refusal: null,
      call: facts.call ?? { id: '', name: '' },
      phase: facts.phase,
      native: facts.native ?? {},
      reasoning: new ReasoningItem(facts.source ?? null),
      open: true,
      status: 'in_progress',
    };
    this.#nextIndex += 1;
    this.#items.push(item);
    return item;
  }
}

/** Without `id:`, after which the official Python client reads the comment of a heartbeat as an empty event. */
export function encodeFrame(frame: ResponseFrame): string {
  return `event: ${frame.type}\ndata: ${JSON.stringify(frame)}\n\n`;
}

function endFrame(response: WireResponse): Unnumbered {
  if (response.status === 'completed') return { type: 'response.completed', response };
  // This API has no event for a cancelled response; the status in `response.incomplete` says it.
  return response.status === 'failed'
    ? { type: 'response.failed', response }
    : { type: 'response.incomplete', response };
}
