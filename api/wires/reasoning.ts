/** The reasoning of an answer as formats show it: its items and paragraphs apart. */
import type { EventBody } from '../../contracts/events.ts';
import { MESSAGE_SEPARATOR } from '../../contracts/fold-events.ts';

export type ReasoningDelta = Extract<EventBody, { type: 'reasoning-delta' }>;
export type ReasoningSeal = Extract<EventBody, { type: 'reasoning-seal' }>;

interface PlacedReasoning {
  readonly item: number;
  readonly part: number;
  /** Without the blank line that separates it from the part before. */
  readonly text: string;
}

/** Follows the deltas of one answer. */
export class ReasoningPlaces {
  #item: number | null = null;
  #part = 0;

  place({ text, item = 0, part = 0 }: ReasoningDelta): PlacedReasoning {
    const isNext = this.#item !== null && (item !== this.#item || part !== this.#part);
    this.#item = item;
    this.#part = part;
    return {
      item,
      part,
      text: isNext && text.startsWith(MESSAGE_SEPARATOR) ? text.slice(MESSAGE_SEPARATOR.length) : text,
    };
  }

  /** All reasoning so far is void. */
  reset(): void {
    this.#item = null;
  }
}
