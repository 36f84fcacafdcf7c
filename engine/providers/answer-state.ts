/**
 * What an answer has contained so far, for every wire: its tool calls by their place, and whether it has any content.
 */
import { randomUUID } from 'node:crypto';
import { type Message, partsOf, type RequestFormat } from '../../contracts/content.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { FinishReason } from '../../contracts/generation.ts';
import type { TokenLogprob } from '../../contracts/token-logprobs.ts';
import type { Finish, ProviderCall, ProviderEvent } from './provider.ts';

interface OpenToolCall {
  readonly index: number;
  readonly id: string;
  readonly name: string;
}

/** For a tool call without arguments: some vendors send an empty text, which is not JSON. */
const NO_ARGUMENTS = '{}';

/**
 * Whether an answer without content is complete: all of it was delivered before, or the client's own beginning of it or
 * the result of a tool left nothing to add, or it ended at once with a stop sequence. A model that is asked again says
 * the same, and is paid again.
 */
export function mayBeEmpty({ resume, input }: Pick<ProviderCall, 'resume' | 'input'>): boolean {
  const last = input.messages.at(-1);
  return (
    'deliveredText' in resume ||
    input.stop !== undefined ||
    last?.role === 'assistant' ||
    (last !== undefined && partsOf(last).some(({ type }) => type === 'tool-result'))
  );
}

/** The ids of the tool calls in a conversation. */
function* callIdsIn(messages: readonly Message[]): Generator<string> {
  for (const message of messages) {
    for (const part of partsOf(message)) if (part.type === 'tool-call') yield part.id;
  }
}

export class AnswerState {
  readonly #toolCalls = new Map<number | string, OpenToolCall>();
  readonly #indexesWithArguments = new Set<number>();
  readonly #mayBeEmpty: boolean;
  readonly #messages: readonly Message[];
  /** Ids of the conversation and of this answer, with the last number behind each; null until the first call. */
  #callIds: Map<string, number> | null = null;
  #hasContent = false;
  #refusal = '';

  constructor(call: Pick<ProviderCall, 'resume' | 'input'>) {
    this.#mayBeEmpty = mayBeEmpty(call);
    this.#messages = call.input.messages;
  }

  /** Whether it has text, a tool call or another part. Reasoning alone is no content. */
  get hasContent(): boolean {
    return this.#hasContent || this.#toolCalls.size > 0;
  }

  text(text: string, logprobs: readonly TokenLogprob[] = []): ProviderEvent {
    if (text !== '') this.#hasContent = true;
    return { type: 'text', text, ...(logprobs.length === 0 ? {} : { logprobs }) };
  }

  nativePart(format: RequestFormat, value: Readonly<Record<string, unknown>>): ProviderEvent {
    this.#hasContent = true;
    return { type: 'native-part', format, value };
  }

  /** More of the words with which the model declines. They are part of the end, because nothing follows them. */
  refuse(text: string): void {
    this.#refusal += text;
  }

  /** Starts the tool call at this place of the wire; `appendArguments` adds its further characters. */
  startToolCall(place: number | string, id: string, name: string): ProviderEvent {
    if (typeof name !== 'string' || name === '') throw malformed('a tool call without a name');
    if (typeof id !== 'string' || id === '') throw malformed('a tool call without an id');
    const toolCall = { index: this.#toolCalls.size, id, name };
    this.#toolCalls.set(place, toolCall);
    return { type: 'tool-call', ...toolCall, arguments: '' };
  }

  appendArguments(place: number | string, delta: string): ProviderEvent {
    const toolCall = this.#toolCalls.get(place);
    if (toolCall === undefined || typeof delta !== 'string') throw malformed('arguments of no tool call');
    if (delta !== '') this.#indexesWithArguments.add(toolCall.index);
    return { type: 'tool-call', ...toolCall, arguments: delta };
  }

  /**
   * An id that no other call of the conversation has. Some vendors number the calls of each answer from 0, and others
   * refuse a conversation in which two calls have the same id.
   * @param id the vendor's; undefined or '' if it sent none.
   */
  uniqueCallId(id: string | undefined): string {
    if (!id) return `call_${randomUUID().replaceAll('-', '')}`;
    this.#callIds ??= new Map([...callIdsIn(this.#messages)].map((known) => [known, 1]));
    let count = this.#callIds.get(id) ?? 1;
    let unique = id;
    while (this.#callIds.has(unique)) {
      count += 1;
      unique = `${id}_${count}`;
    }
    this.#callIds.set(unique, 1).set(id, count);
    return unique;
  }

  hasToolCall(place: number | string): boolean {
    return this.#toolCalls.has(place);
  }

  /** The call gets no more arguments: without any, an empty object. */
  *endToolCall(place: number | string): Generator<ProviderEvent> {
    const toolCall = this.#toolCalls.get(place);
    if (toolCall === undefined || this.#indexesWithArguments.has(toolCall.index)) return;
    yield this.appendArguments(place, NO_ARGUMENTS);
  }

  /** The last events of a complete answer. @throws provider_empty if the answer has no content. */
  *finish({ reason, usage, ...ending }: Omit<Finish, 'type'>): Generator<ProviderEvent> {
    for (const place of this.#toolCalls.keys()) yield* this.endToolCall(place);
    const finishReason = this.#finishReason(reason);
    const isEmpty = !this.hasContent && !this.#mayBeEmpty && ending.stopSequence === undefined;
    if (isEmpty && NEEDS_CONTENT.has(finishReason)) {
      throw new UnbrokenError('provider_empty', 'The provider ended without an answer.');
    }
    const refusal = this.#refusal === '' ? {} : { refusal: { text: this.#refusal } };
    yield { type: 'finish', reason: finishReason, usage, ...refusal, ...ending };
  }

  #finishReason(reason: FinishReason): FinishReason {
    if (this.#refusal !== '') return 'refusal';
    // Some vendors end a turn of tool calls with `stop`, and one without any as if it had some: an agent would wait.
    if (reason === 'stop' && this.#toolCalls.size > 0) return 'tool-calls';
    return reason === 'tool-calls' && this.#toolCalls.size === 0 ? 'stop' : reason;
  }
}

/** An answer at its cap is complete without text: thoughts used up the cap, and would use it up again. */
const NEEDS_CONTENT: ReadonlySet<FinishReason> = new Set(['stop', 'tool-calls']);

/** How a vendor's own words say that a filter ended the answer: content_filter, SAFETY, sensitive, ERROR_TOXIC. */
export function isFilter(reason: string): boolean {
  return /content.?(?:filter|policy)|safety|sensitive|toxic|moderation|prohibited|recitation|blocklist|spii|guardrail/i.test(
    reason,
  );
}

/** The text of a delta. @throws provider_malformed if it is not a string. */
export function textOfDelta(delta: unknown): string {
  if (typeof delta !== 'string') throw malformed('a delta without text');
  return delta;
}

export function malformed(what: string): UnbrokenError {
  return new UnbrokenError(
    'provider_malformed',
    `The provider sent what its format does not allow: ${what}.`,
  );
}

/** The vendor's answer is of its format, but what the model has written in it is not: for another request it may be. */
export function brokenCall(): UnbrokenError {
  return new UnbrokenError('provider_malformed', 'The model has written a tool call that cannot be read.', {
    refusal: { status: null, concerns: 'request' },
  });
}

export function streamCut(): UnbrokenError {
  return new UnbrokenError('provider_stream_cut', 'The stream ended without its last event.');
}
