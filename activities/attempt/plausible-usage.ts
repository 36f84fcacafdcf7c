/**
 * Checks whether a provider's own report of usage can be true. An implausible one is not billed; we count instead, and
 * mark the usage as estimated. The bounds are wide, so that no true report is rejected.
 */
import type { FinishReason } from '../../contracts/generation.ts';
import { inputTokensOf, outputTokensOf, type Usage } from '../../contracts/money.ts';

/** No tokenizer averages more characters per token over an answer. */
const MOST_CHARS_PER_TOKEN = 32;
/** Vendors add tokens to what is sent: tools, images, hidden prompts. */
const MOST_INPUT_FACTOR = 4;
const INPUT_SLACK_TOKENS = 20_000;
/** Reasoning may exceed the cap of the visible output. */
const MOST_OUTPUT_FACTOR = 10;

export function isPlausibleUsage(
  usage: Usage,
  attempt: {
    /** All output of the attempt. */
    readonly ownText: string;
    readonly reason: FinishReason;
    /** The upper bound of input and output that was reserved. */
    readonly reservedTokens: number;
    /** What a vendor may count of its media at most. */
    readonly mostMediaTokens: number;
    readonly maxOutputTokens: number;
  },
): boolean {
  const { ownText, reason, reservedTokens, mostMediaTokens, maxOutputTokens } = attempt;
  const input = inputTokensOf(usage);
  const output = outputTokensOf(usage);
  const counts = [usage.inputTokens, usage.cachedInputTokens, usage.cacheWriteTokens, output];
  return (
    counts.every((count) => Number.isSafeInteger(count) && count >= 0) &&
    input > 0 &&
    input <= reservedTokens * MOST_INPUT_FACTOR + INPUT_SLACK_TOKENS + mostMediaTokens &&
    output * MOST_CHARS_PER_TOKEN >= ownText.length &&
    output <= maxOutputTokens * MOST_OUTPUT_FACTOR + INPUT_SLACK_TOKENS &&
    // A finished answer has visible output; one that was cut at the cap may have only reasoning.
    (usage.outputTokens > 0 || reason === 'length' || ownText === '')
  );
}
