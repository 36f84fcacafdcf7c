/** Finds which call a part of a tool call belongs to. */
import type { ChatCompletionChunk } from 'openai/resources/chat/completions';
import type { AnswerState } from '../answer-state.ts';
import type { ProviderEvent } from '../provider.ts';

type Delta = ChatCompletionChunk['choices'][number]['delta'];
type ToolCallDelta = NonNullable<Delta['tool_calls']>[number];
type Place = number | string;

export class ToolCallPlaces {
  readonly #answer: AnswerState;
  /** The newest call of each index: parts without an id belong to it. */
  readonly #newest = new Map<number, Place>();

  constructor(answer: AnswerState) {
    this.#answer = answer;
  }

  /** @param order its place in its chunk, for vendors that send no index. */
  *take(
    { index, id, function: called, extra_content: extra }: ToolCallDelta & { extra_content?: unknown },
    order: number,
    responseId: string,
  ): Generator<ProviderEvent> {
    const byIndex = index ?? order;
    const place = this.#placeOf(byIndex, id || undefined, called?.name || undefined);
    this.#newest.set(byIndex, place);
    const known = this.#answer.toolCallId(place);
    const callId = known ?? (id || `${responseId}-${place}`);
    // What only the vendor can read: it belongs to the call, and goes back with it.
    if (typeof extra === 'object' && extra !== null) {
      const data = { wire: 'openai-chat', callId, value: { extra_content: extra } } as const;
      yield { type: 'reasoning-data', data };
    }
    if (known === undefined) yield this.#answer.startToolCall(place, callId, called?.name ?? '');
    if (called?.arguments) yield this.#answer.appendArguments(place, called.arguments);
  }

  /** Some vendors send index 0, or none, with every call; then its id distinguishes it from the one before. */
  #placeOf(byIndex: number, id: string | undefined, name: string | undefined): Place {
    const newest = this.#newest.get(byIndex);
    if (newest === undefined) return byIndex;
    if (id === undefined || this.#answer.toolCallId(newest) === id) return newest;
    if (this.#answer.toolCallId(byIndex) === id) return byIndex;
    const own = `${byIndex} ${id}`;
    // A part with a new id and without a name belongs to a call whose vendor makes up an id for each part.
    return name === undefined && !this.#answer.hasToolCall(own) ? newest : own;
  }
}
