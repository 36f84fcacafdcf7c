/** Anthropic's input counts are disjoint already, its thinking is within output; the last report has the totals. */
import type { Usage } from '../../../contracts/money.ts';
import { count, disjointUsage } from '../disjoint-usage.ts';

export interface AnthropicUsage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly output_tokens_details?: { readonly thinking_tokens?: number | null } | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  /** By lifetime; the two add up to `cache_creation_input_tokens`. */
  readonly cache_creation?: {
    readonly ephemeral_5m_input_tokens?: number | null;
    readonly ephemeral_1h_input_tokens?: number | null;
  } | null;
}

/**
 * `message_delta` may omit what `message_start` reported. Without `message_delta` there is no count of the output: the
 * number in `message_start` is a placeholder.
 */
export function mapAnthropicUsage(
  first: AnthropicUsage | null | undefined,
  last: AnthropicUsage | null | undefined,
): Usage | null {
  const cached = count(last?.cache_read_input_tokens ?? first?.cache_read_input_tokens);
  const lifetimes = last?.cache_creation ?? first?.cache_creation;
  const forHour = count(lifetimes?.ephemeral_1h_input_tokens);
  const written = Math.max(
    count(last?.cache_creation_input_tokens ?? first?.cache_creation_input_tokens),
    forHour + count(lifetimes?.ephemeral_5m_input_tokens),
  );
  const usage = disjointUsage({
    input: count(last?.input_tokens ?? first?.input_tokens) + cached + written,
    cached,
    written,
    writtenForHour: forHour,
    output: last?.output_tokens,
    reasoning: last?.output_tokens_details?.thinking_tokens,
  });
  return usage === null ? null : { ...usage, estimated: !last };
}
