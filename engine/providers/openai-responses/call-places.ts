/**
 * Finds which call an event belongs to. Some servers give several items one index, leave the index out, or give an item
 * another id in each of its events: only the id of the call itself stays.
 */
import { type CallItem, toCall } from './call-items.ts';
import type { ResponsePosition } from './position.ts';

interface EventOfCall {
  readonly output_index?: number;
  readonly item_id?: string;
}

export class CallPlaces {
  readonly #byCall: Map<string, number>;
  readonly #byItem = new Map<string, number>();
  /** The newest call of each index. */
  readonly #byIndex = new Map<number, number>();

  /** @param position with the calls of an earlier connection. */
  constructor({ cursor: { toolCalls = [] } }: ResponsePosition) {
    this.#byCall = new Map(toolCalls.map(({ id, outputIndex }) => [id, outputIndex]));
  }

  /** The place of the call that this item is; a free one if the call is new. */
  ofItem(item: CallItem, index: number | undefined): number {
    const { id } = toCall(item);
    const place = this.#byCall.get(id) ?? this.#freePlace(index);
    this.#byCall.set(id, place);
    if (typeof item.id === 'string') this.#byItem.set(item.id, place);
    if (index !== undefined) this.#byIndex.set(index, place);
    return place;
  }

  ofDelta({ item_id: item = '', output_index: index }: EventOfCall): number {
    const newest = [...this.#byCall.values()].at(-1) ?? -1;
    return this.#byItem.get(item) ?? (index === undefined ? newest : (this.#byIndex.get(index) ?? index));
  }

  /** Where the server counts rightly, its index: a poll finds the call there. */
  #freePlace(index: number | undefined): number {
    const taken = [...this.#byCall.values()];
    if (index !== undefined && !taken.includes(index)) return index;
    return Math.max(-1, ...taken) + 1;
  }
}
