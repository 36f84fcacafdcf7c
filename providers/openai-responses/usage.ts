/** OpenAI counts cached tokens within input and reasoning within output; ours are disjoint. */
import type { ResponseUsage } from 'openai/resources/responses/responses';
import type { Usage } from '../../contracts/money.ts';

export function toUsage(usage: ResponseUsage | undefined | null): Usage | null {
  if (!usage) return null;
  const cached = usage.input_tokens_details?.cached_tokens ?? 0;
  const reasoning = usage.output_tokens_details?.reasoning_tokens ?? 0;
  return {
    inputTokens: Math.max(0, usage.input_tokens - cached),
    cachedInputTokens: cached,
    cacheWriteTokens: 0,
    outputTokens: Math.max(0, usage.output_tokens - reasoning),
    reasoningTokens: reasoning,
    estimated: false,
  };
}
