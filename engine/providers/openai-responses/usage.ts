/** Maps OpenAI's usage, which counts cached and written tokens within input, and reasoning within output. */
import type { Usage } from '../../../contracts/money.ts';
import { count, disjointUsage } from '../disjoint-usage.ts';

interface OpenAiResponseUsage {
  readonly input_tokens?: number | null;
  readonly input_tokens_details?: {
    readonly cached_tokens?: number | null;
    readonly cache_write_tokens?: number | null;
  } | null;
  readonly output_tokens?: number | null;
  readonly output_tokens_details?: { readonly reasoning_tokens?: number | null } | null;
  readonly total_tokens?: number | null;
  /** The names of chat completions, which some servers keep. */
  readonly prompt_tokens?: number | null;
  readonly prompt_tokens_details?: OpenAiResponseUsage['input_tokens_details'];
  readonly completion_tokens?: number | null;
  readonly completion_tokens_details?: OpenAiResponseUsage['output_tokens_details'];
}

export function mapOpenAiResponseUsage(usage: OpenAiResponseUsage | undefined | null): Usage | null {
  if (!usage) return null;
  const input = usage.input_tokens_details ?? usage.prompt_tokens_details;
  const output = usage.output_tokens_details ?? usage.completion_tokens_details;
  return disjointUsage({
    input: count(usage.input_tokens) || usage.prompt_tokens,
    cached: input?.cached_tokens,
    written: input?.cache_write_tokens,
    output: count(usage.output_tokens) || usage.completion_tokens,
    reasoning: output?.reasoning_tokens,
  });
}
