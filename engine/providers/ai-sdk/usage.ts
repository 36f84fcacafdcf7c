/** Maps the usage of the AI SDK: totals, and their parts if the provider reports them. */
import type { LanguageModelV4Usage } from '@ai-sdk/provider';
import type { Usage } from '../../../contracts/money.ts';
import { count, disjointUsage } from '../disjoint-usage.ts';

/** @returns null if it reports nothing: the packages fill in `undefined`. */
export function mapAiSdkUsage(usage: LanguageModelV4Usage | undefined | null): Usage | null {
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
