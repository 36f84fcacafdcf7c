/**
 * Money and usage. Money is an integer in micro-USD (1 USD = 1,000,000), so that sums are exact.
 * Usage parts are disjoint: a token is counted in exactly one of them.
 */
import { z } from 'zod';

export type MicroUsd = number;

export const usageSchema = z.object({
  /** Prompt tokens that were neither read from nor written to the provider's prompt cache. */
  inputTokens: z.int().nonnegative(),
  cachedInputTokens: z.int().nonnegative(),
  cacheWriteTokens: z.int().nonnegative(),
  /** Visible output tokens; reasoning tokens are counted apart. */
  outputTokens: z.int().nonnegative(),
  reasoningTokens: z.int().nonnegative(),
  /** True where the provider never reported and we counted with a tokenizer. */
  estimated: z.boolean(),
});
export type Usage = z.infer<typeof usageSchema>;

export const NO_USAGE: Usage = Object.freeze({
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  estimated: false,
});

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
    estimated: a.estimated || b.estimated,
  };
}

/** All tokens of a usage, in and out: what a token budget counts. */
export function totalTokens(usage: Usage): number {
  return (
    usage.inputTokens +
    usage.cachedInputTokens +
    usage.cacheWriteTokens +
    usage.outputTokens +
    usage.reasoningTokens
  );
}

export function formatUsd(amount: MicroUsd): string {
  return `$${(amount / 1_000_000).toFixed(6)}`;
}
