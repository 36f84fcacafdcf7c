/** How much of a response has been passed on: creates our events, each with the cursor that covers it. */
import type { ResponseOutputItem } from 'openai/resources/responses/responses';
import { MESSAGE_SEPARATOR } from '../../../contracts/fold-events.ts';
import type { TokenLogprob } from '../../../contracts/token-logprobs.ts';
import { malformed } from '../answer-state.ts';
import type { CursorToolCall, ProviderCursor, ProviderEvent } from '../provider.ts';
import { isCall } from './call-items.ts';

const FORMAT = 'openai-responses';
type NativeValue = Readonly<Record<string, unknown>>;
/** The item of the output, and the part of it. */
interface ReasoningPlace {
  readonly item: number;
  readonly part: number;
}

export class ResponsePosition {
  readonly #isStored: boolean;
  #cursor: ProviderCursor;

  /**
   * @param from where we reattached to the response; null for a new one.
   * @param isStored whether we can reattach to the response; the cursor of another one would be useless.
   */
  constructor(from: ProviderCursor | null, { isStored }: { readonly isStored: boolean }) {
    this.#cursor = from ?? { responseId: '', sequenceNumber: -1, textChars: 0 };
    this.#isStored = isStored;
  }

  get cursor(): ProviderCursor {
    return this.#cursor;
  }

  get hasToolCalls(): boolean {
    return this.#toolCalls.length > 0;
  }

  get hasContent(): boolean {
    return this.#cursor.textChars > 0 || (this.#cursor.nativeParts ?? 0) > 0 || this.hasToolCalls;
  }

  accepted(responseId: string, sequenceNumber?: number): ProviderEvent {
    if (this.#isStored && typeof responseId !== 'string') throw malformed('a response without an id');
    return { type: 'accepted', ...this.#move({ responseId }, sequenceNumber) };
  }

  /** A message begins: one after other text, or with a phase, is a separate part. */
  *startMessage(phase: string | null | undefined, sequenceNumber?: number): Generator<ProviderEvent> {
    const separates = this.#cursor.textChars > 0;
    if (!separates && !phase) return;
    const named = phase ? { phase } : {};
    yield {
      type: 'text-start',
      part: 'message',
      ...named,
      ...this.#move({ ...(separates ? { separates } : {}) }, sequenceNumber),
    };
  }

  text(delta: string, sequenceNumber?: number, logprobs: readonly TokenLogprob[] = []): ProviderEvent {
    const { separates, ...cursor } = this.#cursor;
    if (separates && delta !== '') this.#cursor = cursor;
    const text = separates && delta !== '' ? `${MESSAGE_SEPARATOR}${delta}` : delta;
    const textChars = this.#cursor.textChars + text.length;
    const own = logprobs.length === 0 ? {} : { logprobs };
    return { type: 'text', text, ...own, ...this.#move({ textChars }, sequenceNumber) };
  }

  annotation(value: NativeValue, sequenceNumber?: number): ProviderEvent {
    const annotations = (this.#cursor.annotations ?? 0) + 1;
    return { type: 'annotation', format: FORMAT, value, ...this.#move({ annotations }, sequenceNumber) };
  }

  /** An item that only this format has, whole. */
  nativePart(value: NativeValue, sequenceNumber?: number): ProviderEvent {
    const nativeParts = (this.#cursor.nativeParts ?? 0) + 1;
    return { type: 'native-part', format: FORMAT, value, ...this.#move({ nativeParts }, sequenceNumber) };
  }

  reasoning(text: string, place: ReasoningPlace, sequenceNumber?: number): ProviderEvent {
    const reasoningChars = (this.#cursor.reasoningChars ?? 0) + text.length;
    return { type: 'reasoning', text, ...place, ...this.#move({ reasoningChars }, sequenceNumber) };
  }

  /** @param value the whole item of reasoning, as it goes back to the vendor. */
  reasoningData(
    outputIndex: number,
    value: Readonly<Record<string, unknown>>,
    sequenceNumber?: number,
  ): ProviderEvent {
    const sealedItems = [...(this.#cursor.sealedItems ?? []), outputIndex];
    const data = { wire: 'openai-responses', value } as const;
    return {
      type: 'reasoning-data',
      data,
      item: outputIndex,
      ...this.#move({ sealedItems }, sequenceNumber),
    };
  }

  isSealed(outputIndex: number): boolean {
    return this.#cursor.sealedItems?.includes(outputIndex) === true;
  }

  startToolCall(
    outputIndex: number,
    { id, name }: { readonly id: string; readonly name: string },
    sequenceNumber?: number,
  ): ProviderEvent {
    if (![id, name].every((field) => typeof field === 'string' && field !== ''))
      throw malformed('a tool call without its id and name');
    if (!Number.isSafeInteger(outputIndex)) throw malformed('a tool call without its place');
    const index = this.#toolCalls.length;
    const toolCalls = [...this.#toolCalls, { outputIndex, id, name, argumentsChars: 0 }];
    const moved = this.#move({ toolCalls }, sequenceNumber);
    return { type: 'tool-call', index, id, name, arguments: '', ...moved };
  }

  appendArguments(outputIndex: number, delta: string, sequenceNumber?: number): ProviderEvent {
    const index = this.#toolCalls.findIndex((toolCall) => toolCall.outputIndex === outputIndex);
    const toolCall = this.#toolCalls[index];
    if (toolCall === undefined) throw malformed('arguments of no tool call');
    const { id, name } = toolCall;
    const grown = { ...toolCall, argumentsChars: toolCall.argumentsChars + delta.length };
    const moved = this.#move({ toolCalls: this.#toolCalls.with(index, grown) }, sequenceNumber);
    return { type: 'tool-call', index, id, name, arguments: delta, ...moved };
  }

  hasToolCall(outputIndex: number): boolean {
    return this.#toolCalls.some((toolCall) => toolCall.outputIndex === outputIndex);
  }

  argumentsChars(outputIndex: number): number {
    return this.#toolCalls.find((known) => known.outputIndex === outputIndex)?.argumentsChars ?? 0;
  }

  get #toolCalls(): readonly CursorToolCall[] {
    return this.#cursor.toolCalls ?? [];
  }

  /** A poll has no sequence number, and the position in the stream does not change. */
  #move(
    change: Partial<ProviderCursor>,
    sequenceNumber = this.#cursor.sequenceNumber,
  ): { readonly cursor?: ProviderCursor } {
    // The cursor is stored, and a later attempt reattaches with it: it must be valid.
    if (!Number.isSafeInteger(sequenceNumber)) throw malformed('an event without a valid sequence number');
    this.#cursor = { ...this.#cursor, ...change, sequenceNumber };
    return this.#isStored ? { cursor: this.#cursor } : {};
  }
}

/** An item that only this format has. */
export function isNativePart(item: ResponseOutputItem): boolean {
  return item.type !== 'message' && item.type !== 'reasoning' && !isCall(item);
}
