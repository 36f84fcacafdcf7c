/** Maps OpenAI's usage, which counts cached and written tokens within input, and reasoning within output. */
import type { Usage } from '../../../contracts/money.ts';
import { disjointUsage } from '../disjoint-usage.ts';

interface OpenAiResponseUsage {
  readonly input_tokens?: number | null;
  readonly input_tokens_details?: {
    readonly cached_tokens?: number | null;
    readonly cache_write_tokens?: number | null;
  } | null;
  readonly output_tokens?: number | null;
  readonly output_tokens_details?: { readonly reasoning_tokens?: number | null } | null;
  readonly total_tokens?: number | null;
}

export function mapOpenAiResponseUsage(usage: OpenAiResponseUsage | undefined | null): Usage | null {
  if (!usage) return null;
  return disjointUsage({
    input: usage.input_tokens,
    cached: usage.input_tokens_details?.cached_tokens,
    written: usage.input_tokens_details?.cache_write_tokens,
    output: usage.output_tokens,
    reasoning: usage.output_tokens_details?.reasoning_tokens,
  });
}
