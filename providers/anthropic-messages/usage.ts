/** Anthropic's counts are disjoint already; the last report of a stream holds the sums. */
import type { Usage } from '../../contracts/money.ts';

export interface ReportedUsage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
}

/** `message_delta` may leave out what `message_start` told. */
export function toUsage(first: ReportedUsage | null, last: ReportedUsage | null): Usage | null {
  if (last === null) return null;
  return {
    inputTokens: last.input_tokens ?? first?.input_tokens ?? 0,
    cachedInputTokens: last.cache_read_input_tokens ?? first?.cache_read_input_tokens ?? 0,
    cacheWriteTokens: last.cache_creation_input_tokens ?? first?.cache_creation_input_tokens ?? 0,
    outputTokens: last.output_tokens ?? 0,
    reasoningTokens: 0,
    estimated: false,
  };
}
