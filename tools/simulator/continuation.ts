/** Which part of an answer a request holds already, and what is left of it. */

import { type Message, partsOf } from '../../contracts/content.ts';
import { CONTINUE_INSTRUCTION } from '../../engine/providers/continue-instruction.ts';
import { chooseTool } from './choose-tool.ts';
import { type SimulatedInput, textOfPart } from './conversation.ts';
import { readDirective } from './directive.ts';
import { type AnswerToken, trueText } from './true-text.ts';

/**
 * The model continues an assistant turn only where the conversation ends with it (a prefill), or where the user asks
 * for the continuation. Any other assistant turn is an earlier answer, even where it equals the text that this model
 * would write. The turn counts only if the true text begins with it. Neighbouring turns at the end of a request, such
 * as a prefill of the caller and the text delivered since, are one text.
 * @param salt of the true text: '' unless it depends on the seed.
 */
export function findContinuation(
  input: SimulatedInput,
  salt = '',
): {
  readonly base: SimulatedInput;
  readonly deliveredText: string;
} {
  const turns = asksToContinue(input.messages.at(-1)) ? input.messages.slice(0, -1) : input.messages;
  const earlier = turns.findLastIndex(({ role }) => role !== 'assistant') + 1;
  for (let from = Math.max(1, earlier); from < turns.length; from += 1) {
    const base = { ...input, messages: turns.slice(0, from) };
    const partial = turns.slice(from).map(({ content }) => content);
    const isText = partial.every((content): content is string => typeof content === 'string');
    const deliveredText = partial.join('');
    if (isText && trueText(base, salt).startsWith(deliveredText)) {
      return { base, deliveredText: isJson(base) ? '' : deliveredText };
    }
  }
  return { base: input, deliveredText: '' };
}

/** Constrained decoding starts at the beginning of the grammar: an answer in JSON is always a whole value. */
function isJson(input: SimulatedInput): boolean {
  return (
    input.output !== undefined && chooseTool(input, readDirective(input.messages, input.system)) === null
  );
}

function asksToContinue(last: Message | undefined): boolean {
  return last?.role === 'user' && partsOf(last).map(textOfPart).join('') === CONTINUE_INSTRUCTION;
}

/** Drops the delivered text, and the reasoning before it. A token that was delivered in part keeps its rest. */
export function withoutDelivered(
  tokens: readonly AnswerToken[],
  deliveredText: string,
): readonly AnswerToken[] {
  if (deliveredText === '') return tokens;
  let left = deliveredText.length;
  return tokens.flatMap((token): AnswerToken[] => {
    if (token.kind !== 'text') return token.kind === 'tool' ? [token] : [];
    const text = token.text.slice(Math.min(left, token.text.length));
    left -= token.text.length - text.length;
    return text === '' ? [] : [{ ...token, text }];
  });
}
