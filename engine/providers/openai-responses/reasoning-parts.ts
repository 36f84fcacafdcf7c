/** Keeps the parts of reasoning apart. They arrive as one text, and a poll joins them in the same way. */
import type { ResponseStreamEvent } from 'openai/resources/responses/responses';
import { PART_SEPARATOR } from '../reasoning-items.ts';

type ReasoningText = Extract<
  ResponseStreamEvent,
  {
    type:
      | `response.reasoning_summary_text.${'delta' | 'done'}`
      | `response.reasoning_text.${'delta' | 'done'}`;
  }
>;
interface Place {
  readonly item: number;
  readonly part: number;
}

export class ReasoningParts {
  #isNew = false;
  /** The place of the part that the last delta belongs to; null before the first delta of this connection. */
  #place: Place | null = null;

  /** An event of this type says that another part begins. */
  note({ type }: { readonly type: string }): void {
    if (/^response\.(?:reasoning_summary_part|reasoning_part|content_part)\.added$/.test(type))
      this.#isNew = true;
  }

  /** @param charsSoFar of all parts. */
  next(event: ReasoningText, charsSoFar: number): { readonly separator: string; readonly place: Place } {
    const last = this.#place;
    const named = { item: event.output_index, part: indexOf(event) };
    // Some servers count the deltas of one text: its part is what an event begins (vLLM).
    const isRaw = event.type === 'response.reasoning_text.delta';
    const isSame = last?.item === named.item && (isRaw || last.part === named.part);
    const continues = last === null || isSame;
    const begins = this.#isNew || !continues;
    this.#isNew = false;
    this.#place = isSame && !begins ? last : named;
    return { separator: begins && charsSoFar > 0 ? PART_SEPARATOR : '', place: this.#place };
  }
}

function indexOf(event: ReasoningText): number {
  return ('summary_index' in event ? event.summary_index : event.content_index) ?? 0;
}
