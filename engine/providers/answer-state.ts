/**
 * What an answer has contained so far, for every wire: its tool calls by their place, and whether it has any content.
 */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { FinishReason } from '../../contracts/generation.ts';
import type { Usage } from '../../contracts/money.ts';
import type { ProviderEvent } from './provider.ts';

interface OpenToolCall {
  readonly index: number;
  readonly id: string;
  readonly name: string;
}

/** For a tool call without arguments: some vendors send an empty text, which is not JSON. */
const NO_ARGUMENTS = '{}';

export class AnswerState {
  readonly #toolCalls = new Map<number | string, OpenToolCall>();
  readonly #indexesWithArguments = new Set<number>();
  #hasText: boolean;

  /** @param mayBeEmpty whether an answer without new content is complete: the text delivered before was the whole. */
  constructor({ mayBeEmpty }: { readonly mayBeEmpty: boolean }) {
    this.#hasText = mayBeEmpty;
  }

  text(text: string): ProviderEvent {
    if (text !== '') this.#hasText = true;
    return { type: 'text', text };
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

  hasToolCall(place: number | string): boolean {
    return this.#toolCalls.has(place);
  }

  toolCallId(place: number | string): string | undefined {
    return this.#toolCalls.get(place)?.id;
  }

  /** The last events of a complete answer. @throws provider_empty if the answer has no content. */
  *finish(reason: FinishReason, usage: Usage | null): Generator<ProviderEvent> {
    const toolCalls = [...this.#toolCalls.values()];
    // An answer at its cap is complete even without text: thoughts used up the cap, and would use it up again.
    if (toolCalls.length === 0 && !this.#hasText && reason !== 'length') {
      throw new UnbrokenError('provider_empty', 'The provider ended without an answer.');
    }
    for (const toolCall of toolCalls) {
      if (this.#indexesWithArguments.has(toolCall.index)) continue;
      yield { type: 'tool-call', ...toolCall, arguments: NO_ARGUMENTS };
    }
    // Some vendors end a turn of tool calls with `stop`.
    const finishReason = reason === 'stop' && toolCalls.length > 0 ? 'tool-calls' : reason;
    yield { type: 'finish', reason: finishReason, usage };
  }
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

export function streamCut(): UnbrokenError {
  return new UnbrokenError('provider_stream_cut', 'The stream ended without its last event.');
}
