/** The AI SDK's report: totals, and parts of them where the provider tells them. */
import type { LanguageModelV4Usage } from '@ai-sdk/provider';
import type { Usage } from '../../../contracts/money.ts';
import { count, disjointUsage } from '../disjoint-usage.ts';

/** @returns null where it says nothing: its packages fill in `undefined`. */
export function toUsage(usage: LanguageModelV4Usage | undefined | null): Usage | null {
  const { inputTokens, outputTokens } = usage ?? {};
  const input =
    inputTokens?.total ??
    count(inputTokens?.noCache) + count(inputTokens?.cacheRead) + count(inputTokens?.cacheWrite);
  const output = outputTokens?.total ?? count(outputTokens?.text) + count(outputTokens?.reasoning);
  return disjointUsage({
    input,
    cached: inputTokens?.cacheRead,
    written: inputTokens?.cacheWrite,
    output,
    reasoning: outputTokens?.reasoning,
  });
}
