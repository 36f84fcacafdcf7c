/**
 * Turns that ask a model without prefill to go on from a partial answer. Source: Anthropic's migration guide for
 * models without prefill, which moves the continuation into a user message.
 */
import type { Message } from '../../contracts/generation.ts';

export const CONTINUE_INSTRUCTION =
  'Your answer was interrupted by a lost connection. Continue it exactly where it ends, with the very next ' +
  'characters. Do not repeat anything, do not comment, do not begin anew.';

export function continueInstruction(deliveredText: string): readonly Message[] {
  return [
    { role: 'assistant', content: deliveredText },
    { role: 'user', content: CONTINUE_INSTRUCTION },
  ];
}

/**
 * Anthropic's models see the delivered text without its white space at the end (a prefill that has it is refused), so
 * they may begin with that white space again. This drops it, once, from the beginning of the continuation.
 */
export function dropRepeatedSpace(deliveredText: string): (text: string) => string {
  let expected = deliveredText.slice(deliveredText.trimEnd().length);
  return (text) => {
    let index = 0;
    while (index < text.length && index < expected.length && text[index] === expected[index]) index += 1;
    expected = index === text.length ? expected.slice(index) : '';
    return text.slice(index);
  };
}
