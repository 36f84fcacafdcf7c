/** What a call has generated so far, put together by kind. */
import type { SimulatedCall } from '../calls.ts';
import { joinTokens } from '../true-text.ts';

export function generatedText({ run }: SimulatedCall, kind: 'text' | 'reasoning'): string {
  return joinTokens(run.tokens.slice(0, run.made), (token) => token.kind === kind);
}

/** The arguments of the tool call at this place, as JSON; '' for none yet. */
export function generatedArguments({ run }: SimulatedCall, place: number): string {
  return joinTokens(run.tokens.slice(0, run.made), (token) => token.kind === 'tool' && token.call === place);
}
