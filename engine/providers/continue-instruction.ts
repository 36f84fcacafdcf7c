/**
 * The turns that ask a model without prefill to continue a partial answer. Source: Anthropic's migration guide for
 * models without prefill, which moves the continuation into a user message.
 */
import type { Message } from '../../contracts/generation.ts';

export const CONTINUE_INSTRUCTION =
  'Your answer was interrupted by a lost connection. Continue it exactly where it ends, with the very next ' +
  'characters. Do not repeat anything, do not comment, do not start over.';

export function continueInstruction(deliveredText: string): readonly Message[] {
  return [
    { role: 'assistant', content: deliveredText },
    { role: 'user', content: CONTINUE_INSTRUCTION },
  ];
}

/**
 * Drops white space from the start of a continuation that the delivered text already ends with. Anthropic's models
 * see the delivered text without it, because a prefill that ends in white space is refused, so they may repeat it.
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
