/** Recognises a request that goes on with an answer that was cut, as a model would. */
import { type Conversation, type TrueText, trueText } from './true-text.ts';

export interface Continuation {
  /** The conversation without the turns that only continue the answer. */
  readonly base: Conversation;
  readonly answer: TrueText;
  /** Characters of the answer that the request brought along. */
  readonly givenChars: number;
  readonly isPrefill: boolean;
}

export function readContinuation(conversation: Conversation, salt: string): Continuation {
  const { system, messages } = conversation;
  const isPrefill = messages.at(-1)?.role === 'assistant';
  const partialAt = isPrefill ? messages.length - 1 : messages.length - 2;
  const partial = messages[partialAt];
  if (partial?.role === 'assistant') {
    const base = { system, messages: messages.slice(0, partialAt) };
    const answer = trueText(base, salt);
    if (partial.content !== '' && answer.text.startsWith(partial.content)) {
      return { base, answer, givenChars: partial.content.length, isPrefill };
    }
  }
  return { base: conversation, answer: trueText(conversation, salt), givenChars: 0, isPrefill };
}

/** The tokens after the first `chars` characters; a token that is cut in two gives its rest. */
export function tokensAfter(tokens: readonly string[], chars: number): readonly string[] {
  let before = 0;
  for (const [index, token] of tokens.entries()) {
    if (before + token.length > chars) {
      return [token.slice(chars - before), ...tokens.slice(index + 1)];
    }
    before += token.length;
  }
  return [];
}
