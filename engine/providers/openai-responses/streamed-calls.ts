/** The tool calls of a streamed response: each is shown once, whichever of its events a server sends, in any order. */
import { textOfDelta } from '../answer-state.ts';
import type { ProviderEvent } from '../provider.ts';
import { argumentsOf, type CallItem, textOfArguments, toCall } from './call-items.ts';
import { CallPlaces } from './call-places.ts';
import type { ResponsePosition } from './position.ts';
import { GrowingText } from './streamed-items.ts';

interface CallEvent {
  readonly output_index: number;
  readonly sequence_number: number;
}

interface ArgumentsEvent extends CallEvent {
  readonly item_id: string;
}

export class StreamedCalls {
  readonly #position: ResponsePosition;
  readonly #places: CallPlaces;
  /** What each place has had in this connection. */
  readonly #written = new Map<number, GrowingText>();
  /** Deltas of calls that have not begun. */
  readonly #early = new Map<string, string>();

  constructor(position: ResponsePosition) {
    this.#position = position;
    this.#places = new CallPlaces(position);
  }

  /** A call without its name begins with the event that has it. */
  *start(item: CallItem, event: CallEvent): Generator<ProviderEvent> {
    if (toCall(item).name !== '') yield* this.#start(item, event);
  }

  *delta(event: ArgumentsEvent & { readonly delta: unknown }): Generator<ProviderEvent> {
    const delta = textOfDelta(event.delta);
    const place = this.#places.ofDelta(event);
    if (this.#position.hasToolCall(place)) {
      yield this.#append(place, delta, event.sequence_number);
      return;
    }
    const key = earlyKey(event.item_id, event.output_index);
    this.#early.set(key, `${this.#early.get(key) ?? ''}${delta}`);
  }

  /** The arguments are whole; if the call has not begun, the end of its item has them too. */
  *end(event: ArgumentsEvent & { readonly arguments: unknown }): Generator<ProviderEvent> {
    const place = this.#places.ofDelta(event);
    if (!this.#position.hasToolCall(place)) return;
    yield* this.#complete(place, textOfArguments(event.arguments), event.sequence_number);
  }

  *endItem(item: CallItem, event: CallEvent): Generator<ProviderEvent> {
    const place = yield* this.#start(item, event);
    yield* this.#complete(place, argumentsOf(item), event.sequence_number);
  }

  /** @returns the place of the call, which may have been started before. */
  *#start(item: CallItem, event: CallEvent): Generator<ProviderEvent, number> {
    const { output_index: outputIndex, sequence_number: sequenceNumber } = event;
    const place = this.#places.ofItem(item, outputIndex);
    if (this.#position.hasToolCall(place)) return place;
    yield this.#position.startToolCall(place, toCall(item), sequenceNumber);
    const key = earlyKey(item.id, outputIndex);
    const early = this.#early.get(key);
    this.#early.delete(key);
    if (early !== undefined) yield this.#append(place, early, sequenceNumber);
    return place;
  }

  /** Servers that send no deltas, or not all of them. */
  *#complete(place: number, whole: string, sequenceNumber: number): Generator<ProviderEvent> {
    const written = this.#written.get(place);
    const hadBefore = this.#position.argumentsChars(place) > 0;
    const rest = written === undefined ? (hadBefore ? '' : whole) : written.restOf(whole);
    if (rest !== '') yield this.#append(place, rest, sequenceNumber);
  }

  #append(place: number, delta: string, sequenceNumber: number): ProviderEvent {
    const event = this.#position.appendArguments(place, delta, sequenceNumber);
    const written = this.#written.get(place) ?? new GrowingText();
    written.push(delta);
    this.#written.set(place, written);
    return event;
  }
}

function earlyKey(itemId: string | undefined, outputIndex: number): string {
  return itemId || `${outputIndex}`;
}
