/**
 * Whether a provider's own report of usage can be true. One that cannot is not billed: it is counted here instead, and
 * marked as estimated. The bounds are wide, so that no true report is doubted.
 */
import type { FinishReason } from '../../contracts/generation.ts';
import type { Usage } from '../../contracts/money.ts';

/** No tokenizer puts more characters into a token on the average of an answer. */
const MOST_CHARS_PER_TOKEN = 32;
/** Vendors add tokens of their own (tools, images, hidden prompts) to what is sent. */
const MOST_INPUT_FACTOR = 4;
const INPUT_SLACK_TOKENS = 20_000;
/** Reasoning may go over the cap of what is visible. */
const MOST_OUTPUT_FACTOR = 10;

export function isPlausibleUsage(
  usage: Usage,
  attempt: {
    /** All that it put out. */
    readonly ownText: string;
    readonly reason: FinishReason;
    /** The most that input and output were taken to be. */
    readonly reservedTokens: number;
    readonly maxOutputTokens: number;
  },
): boolean {
  const { ownText, reason, reservedTokens, maxOutputTokens } = attempt;
  const input = usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens;
  const output = usage.outputTokens + usage.reasoningTokens;
  const counts = [usage.inputTokens, usage.cachedInputTokens, usage.cacheWriteTokens, output];
  return (
    counts.every((count) => Number.isSafeInteger(count) && count >= 0) &&
    input > 0 &&
    input <= reservedTokens * MOST_INPUT_FACTOR + INPUT_SLACK_TOKENS &&
    output * MOST_CHARS_PER_TOKEN >= ownText.length &&
    output <= maxOutputTokens * MOST_OUTPUT_FACTOR + INPUT_SLACK_TOKENS &&
    // An answer that has ended says something; one that was cut at the cap may have only thought.
    (usage.outputTokens > 0 || reason === 'length' || ownText === '')
  );
}
