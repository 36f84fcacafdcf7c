/**
 * The turns that ask a model to continue a partial answer: by prefill, where the conversation ends with the answer, or
 * by instruction. Source of the instruction: Anthropic's migration guide for models without prefill, which moves the
 * continuation into a user message.
 */
import { type Message, partsOf } from '../../contracts/content.ts';
import type { ProviderCall } from './provider.ts';

export const CONTINUE_INSTRUCTION =
  'Your answer was interrupted by a lost connection. Continue it exactly where it ends, with the very next ' +
  'characters. Do not repeat anything, do not comment, do not start over.';

export function continueInstruction(deliveredText: string): readonly Message[] {
  return [
    { role: 'assistant', content: deliveredText },
    { role: 'user', content: CONTINUE_INSTRUCTION },
  ];
}

/** A conversation and, at its end, what was delivered of the answer. */
export function withDeliveredText(
  messages: readonly Message[],
  resume: ProviderCall['resume'],
): readonly Message[] {
  if (!('deliveredText' in resume)) return messages;
  const { strategy, deliveredText } = resume;
  if (strategy === 'instruct') return [...messages, ...continueInstruction(deliveredText)];
  const last = messages.at(-1);
  // A prefill of the caller and the text since are one turn: models continue only the last one.
  const own = last?.role === 'assistant' ? plainTextOf(last) : null;
  const turn: Message = { role: 'assistant', content: `${own ?? ''}${deliveredText}` };
  return own === null ? [...messages, turn] : [...messages.slice(0, -1), turn];
}

/** @returns null if the message has anything but plain text. */
function plainTextOf(message: Message): string | null {
  const parts = partsOf(message);
  const isPlain = parts.every((part) => part.type === 'text' && part.native === undefined);
  return isPlain ? parts.map((part) => ('text' in part ? part.text : '')).join('') : null;
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
