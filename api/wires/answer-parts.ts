/** The parts of an answer in their order, for formats that show more than its text. */
import type { RequestFormat } from '../../contracts/content.ts';
import type { GenerationEvent } from '../../contracts/events.ts';
import { MESSAGE_SEPARATOR } from '../../contracts/fold-events.ts';
import type { TokenLogprob } from '../../contracts/token-logprobs.ts';
import { type ReasoningDelta, ReasoningPlaces, type ReasoningSeal } from './reasoning.ts';

/** What only one format has, in its own words. */
export interface NativeValue {
  readonly format: RequestFormat;
  readonly value: Readonly<Record<string, unknown>>;
}

interface AnswerText {
  readonly type: 'text';
  readonly text: string;
  /** Where it begins in the text of the whole answer, behind the blank line that separates messages. */
  readonly beginsAt: number;
  readonly annotations: readonly NativeValue[];
  /** Of its tokens; empty if the request asks for none. */
  readonly logprobs: readonly TokenLogprob[];
}

export interface AnswerCall {
  readonly type: 'tool-call';
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** An item of reasoning, or what only the vendor can read. */
export interface AnswerReasoning {
  readonly type: 'reasoning';
  /** What is shown; a blank line separates its paragraphs. */
  readonly text: string;
  readonly sealed?: string;
  /** The tool call that the seal belongs to, if it belongs to one. */
  readonly callId?: string;
}

export type AnswerPart =
  | AnswerText
  | AnswerReasoning
  | AnswerCall
  | ({ readonly type: 'native' } & NativeValue);

type PartKind = Extract<GenerationEvent, { type: 'text-start' }>['part'];

interface GrowingReasoning {
  readonly type: 'reasoning';
  readonly item: number | null;
  readonly deltas: string[];
  readonly seal: { sealed?: string; callId?: string };
}

type Growing =
  | {
      readonly type: 'text';
      readonly part: PartKind | null;
      readonly deltas: string[];
      readonly annotations: NativeValue[];
      readonly logprobs: TokenLogprob[];
    }
  | GrowingReasoning
  | { readonly type: 'tool-call'; readonly id: string; readonly name: string; readonly deltas: string[] }
  | ({ readonly type: 'native' } & NativeValue);

export class AnswerParts {
  readonly #places = new ReasoningPlaces();
  #parts: Growing[] = [];
  #calls = new Map<number, string[]>();
  /** The part that the next text begins. */
  #starts: PartKind | null = null;

  push(event: GenerationEvent): void {
    switch (event.type) {
      case 'text-start':
        this.#starts = event.part;
        break;
      case 'text-delta':
        this.#addText(event.text, event.logprobs);
        break;
      case 'reasoning-delta':
        this.#addReasoning(event);
        break;
      case 'reasoning-seal':
        this.#seal(event);
        break;
      case 'annotation':
        this.#annotate({ format: event.format, value: event.value });
        break;
      case 'native-part':
        this.#parts.push({ type: 'native', format: event.format, value: event.value });
        break;
      case 'tool-call-delta': {
        const { index, id, name } = event;
        const deltas = this.#calls.get(index) ?? [];
        if (!this.#calls.has(index)) this.#parts.push({ type: 'tool-call', id, name, deltas });
        this.#calls.set(index, deltas);
        deltas.push(event.arguments);
        break;
      }
      case 'text-reset':
        this.#parts = [];
        this.#calls = new Map();
        this.#starts = null;
        this.#places.reset();
        break;
      default:
        break;
    }
  }

  value(): readonly AnswerPart[] {
    let chars = 0;
    return this.#parts.map((part): AnswerPart => {
      if (part.type === 'native') return part;
      const joined = part.deltas.join('');
      if (part.type === 'reasoning') return { type: 'reasoning', text: joined, ...part.seal };
      if (part.type === 'tool-call') {
        return { type: 'tool-call', id: part.id, name: part.name, arguments: joined };
      }
      const beginsAt = part.part === 'message' && chars > 0 ? chars + MESSAGE_SEPARATOR.length : chars;
      chars += joined.length;
      const { annotations, logprobs } = part;
      return { type: 'text', text: joined, beginsAt, annotations, logprobs };
    });
  }

  #addText(delta: string, logprobs: readonly TokenLogprob[] = []): void {
    const last = this.#parts.at(-1);
    const part = this.#starts;
    this.#starts = null;
    if (last?.type === 'text' && part === null) {
      last.deltas.push(delta);
      last.logprobs.push(...logprobs);
    } else
      this.#parts.push({ type: 'text', part, deltas: [delta], annotations: [], logprobs: [...logprobs] });
  }

  #addReasoning(event: ReasoningDelta): void {
    const { item, text } = this.#places.place(event);
    const last = this.#parts.at(-1);
    if (last?.type === 'reasoning' && last.item === item) last.deltas.push(event.text);
    else this.#parts.push({ type: 'reasoning', item, deltas: [text], seal: {} });
  }

  /** Of the item that it names; what belongs to none is a part of which nothing is shown. */
  #seal({ item, callId, sealed }: ReasoningSeal): void {
    const owner = this.#parts.findLast(
      (part) => part.type === 'reasoning' && item !== undefined && part.item === item,
    );
    if (owner?.type === 'reasoning' && owner.seal.sealed === undefined) owner.seal.sealed = sealed;
    else {
      const seal = { sealed, ...(callId === undefined ? {} : { callId }) };
      this.#parts.push({ type: 'reasoning', item: item ?? null, deltas: [], seal });
    }
  }

  #annotate(annotation: NativeValue): void {
    const text = this.#parts.findLast((part) => part.type === 'text');
    text?.annotations.push(annotation);
  }
}

/** Where the newest part of the text begins, as in `AnswerText`, for formats that stream. */
export class TextPlace {
  #chars = 0;
  #beginsAt = 0;

  get beginsAt(): number {
    return this.#beginsAt;
  }

  start(part: PartKind): void {
    const isSeparate = part === 'message' && this.#chars > 0;
    this.#beginsAt = this.#chars + (isSeparate ? MESSAGE_SEPARATOR.length : 0);
  }

  add(chars: number): void {
    this.#chars += chars;
  }
}
