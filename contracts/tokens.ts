/** How many tokens an input may have at the most: what a budget reserves for it. */
import type { GenerationInput } from './generation.ts';

/** Tokens that a chat format adds around each message; an upper figure of the common formats. */
const TOKENS_PER_MESSAGE = 8;
/** Vendors' tokenizers differ by some percent from ours. */
const MARGIN = 1.1;
/** An answer cut below this is worth less than the clear error. */
const MIN_OUTPUT_TOKENS = 16;

export function boundInputTokens(
  { system, messages }: Pick<GenerationInput, 'system' | 'messages'>,
  countTokens: (text: string) => number,
): number {
  const texts = [system ?? '', ...messages.map((message) => message.content)];
  const tokens = texts.reduce((sum, text) => sum + Math.max(countTokens(text), text.length / 4), 0);
  return Math.ceil(tokens * MARGIN) + TOKENS_PER_MESSAGE * (messages.length + 1);
}

export function leastOutputTokens(maxOutputTokens: number): number {
  return Math.min(MIN_OUTPUT_TOKENS, maxOutputTokens);
}
