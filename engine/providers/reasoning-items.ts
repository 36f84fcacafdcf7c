/** Numbers the items of an answer's reasoning, for wires that do not, and separates them. */
import type { ProviderEvent, ReasoningData } from './provider.ts';

/** Between two items or parts of reasoning, which are paragraphs. */
export const PART_SEPARATOR = '\n\n';

export class ReasoningItems {
  #item = 0;
  /** The text of the item that is open; null while other content comes. */
  #open: string | null = null;
  #hasText = false;

  /** More of the open item, or of a new one if other content came since the last. */
  text(text: string): ProviderEvent {
    const isNext = this.#open === null && this.#hasText;
    if (isNext) this.#item += 1;
    this.#open = (this.#open ?? '') + text;
    this.#hasText = true;
    return { type: 'reasoning', text: isNext ? `${PART_SEPARATOR}${text}` : text, item: this.#item };
  }

  /** Text of an item that the wire numbers, numbered as there. */
  textOf(item: number, text: string): ProviderEvent {
    const isNext = this.#hasText && item !== this.#item;
    this.#item = item;
    this.#hasText = true;
    return { type: 'reasoning', text: isNext ? `${PART_SEPARATOR}${text}` : text, item };
  }

  /** Other content follows. @returns the text of the item that it ends; null if none was open. */
  close(): string | null {
    const text = this.#open;
    this.#open = null;
    return text;
  }

  /** What the vendor alone can read of the newest item. */
  data(data: ReasoningData): ProviderEvent {
    return { type: 'reasoning-data', data, item: this.#item };
  }
}
