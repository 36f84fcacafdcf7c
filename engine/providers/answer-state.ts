/** What an answer has held so far, for every wire: its tool calls by their place, and whether it says anything. */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { FinishReason } from '../../contracts/generation.ts';
import type { Usage } from '../../contracts/money.ts';
import type { ProviderEvent } from './provider.ts';

interface OpenCall {
  readonly index: number;
  readonly id: string;
  readonly name: string;
}

/** A call without arguments: some vendors write nothing for it, which is no JSON. */
const NO_ARGUMENTS = '{}';

export interface AnswerState {
  text(text: string): ProviderEvent;
  /** Begins the call at this place of the wire; a call that has begun is given its next characters by `more`. */
  call(place: number | string, id: string, name: string): ProviderEvent;
  more(place: number | string, pieceOfArguments: string): ProviderEvent;
  hasCall(place: number | string): boolean;
  idOf(place: number | string): string | undefined;
  /** The last events of a whole answer. @throws provider_empty where it says nothing. */
  finish(reason: FinishReason, usage: Usage | null): Iterable<ProviderEvent>;
}

/** @param mayBeEmpty whether an answer without anything new is whole: what was delivered before was all there is. */
export function createAnswerState(mayBeEmpty: boolean): AnswerState {
  const calls = new Map<number | string, OpenCall>();
  const written = new Set<number>();
  let hasText = mayBeEmpty;
  return {
    text(text) {
      if (text !== '') hasText = true;
      return { type: 'text', text };
    },
    call(place, id, name) {
      if (typeof name !== 'string' || name === '') throw malformed('a tool call without a name');
      if (typeof id !== 'string' || id === '') throw malformed('a tool call without an id');
      const call = { index: calls.size, id, name };
      calls.set(place, call);
      return { type: 'tool-call', ...call, arguments: '' };
    },
    more(place, piece) {
      const call = calls.get(place);
      if (call === undefined || typeof piece !== 'string') throw malformed('arguments of no tool call');
      if (piece !== '') written.add(call.index);
      return { type: 'tool-call', ...call, arguments: piece };
    },
    hasCall: (place) => calls.has(place),
    idOf: (place) => calls.get(place)?.id,
    *finish(reason, usage) {
      // An answer at its cap is whole without text too: thoughts have used the cap, and would use it again.
      if (calls.size === 0 && !hasText && reason !== 'length') {
        throw new UnbrokenError('provider_empty', 'The provider ended without an answer.');
      }
      for (const call of calls.values()) {
        if (!written.has(call.index)) yield { type: 'tool-call', ...call, arguments: NO_ARGUMENTS };
      }
      // Some vendors end a turn of tool calls as any other.
      yield { type: 'finish', reason: reason === 'stop' && calls.size > 0 ? 'tool-calls' : reason, usage };
    },
  };
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
