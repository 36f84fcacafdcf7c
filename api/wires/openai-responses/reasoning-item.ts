/** A reasoning item of a response while it grows: its paragraphs are the parts of its summary. */
import type { ResponseReasoningItem, ResponseStreamEvent } from 'openai/resources/responses/responses';

type EventOf<Type extends ResponseStreamEvent['type']> = Omit<
  Extract<ResponseStreamEvent, { type: Type }>,
  'sequence_number'
>;
type ReasoningFrame =
  | EventOf<'response.reasoning_summary_part.added'>
  | EventOf<'response.reasoning_summary_text.delta'>
  | EventOf<'response.reasoning_summary_text.done'>
  | EventOf<'response.reasoning_summary_part.done'>;

interface Position {
  readonly output_index: number;
  readonly item_id: string;
}

export class ReasoningItem {
  /** The item of the log; null for one of which nothing is shown. */
  readonly source: number | null;
  readonly #paragraphs: { readonly part: number; readonly texts: string[] }[] = [];
  #sealed: string | null = null;

  constructor(source: number | null) {
    this.source = source;
  }

  seal(sealed: string): void {
    this.#sealed = sealed;
  }

  /** @returns the frames of a delta: those that end a paragraph and begin the next come first. */
  push(part: number, delta: string, position: Position): ReasoningFrame[] {
    const frames: ReasoningFrame[] = [];
    if (this.#paragraphs.at(-1)?.part !== part) {
      frames.push(...this.closingFrames(position));
      this.#paragraphs.push({ part, texts: [] });
      const empty = { type: 'summary_text' as const, text: '' };
      frames.push({ type: 'response.reasoning_summary_part.added', ...this.#at(position), part: empty });
    }
    this.#paragraphs.at(-1)?.texts.push(delta);
    return [...frames, { type: 'response.reasoning_summary_text.delta', ...this.#at(position), delta }];
  }

  closingFrames(position: Position): ReasoningFrame[] {
    const last = this.#summary().at(-1);
    if (last === undefined) return [];
    return [
      { type: 'response.reasoning_summary_text.done', ...this.#at(position), text: last.text },
      { type: 'response.reasoning_summary_part.done', ...this.#at(position), part: last },
    ];
  }

  build(id: string, status: NonNullable<ResponseReasoningItem['status']>): ResponseReasoningItem {
    const sealed = this.#sealed === null ? {} : { encrypted_content: this.#sealed };
    return { id, type: 'reasoning', status, summary: this.#summary(), ...sealed };
  }

  #summary(): ResponseReasoningItem.Summary[] {
    return this.#paragraphs.map(({ texts }) => ({ type: 'summary_text', text: texts.join('') }));
  }

  #at(position: Position) {
    return { ...position, summary_index: this.#paragraphs.length - 1 };
  }
}
