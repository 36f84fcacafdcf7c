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

type InputCount = 'input_tokens' | 'cache_read_input_tokens' | 'cache_creation_input_tokens';

/**
 * The counts are cumulative. `message_delta` may omit what `message_start` reported, and compatible servers send 0 in
 * one of the two. Without `message_delta` there is no count of the output: the
 * number in `message_start` is a placeholder.
 */
export function mapAnthropicUsage(
  first: AnthropicUsage | null | undefined,
  last: AnthropicUsage | null | undefined,
): Usage | null {
  const larger = (name: InputCount) => Math.max(count(first?.[name]), count(last?.[name]));
  const cached = larger('cache_read_input_tokens');
  const lifetimes = last?.cache_creation ?? first?.cache_creation;
  const forHour = count(lifetimes?.ephemeral_1h_input_tokens);
  const written = Math.max(
    larger('cache_creation_input_tokens'),
    forHour + count(lifetimes?.ephemeral_5m_input_tokens),
  );
  const usage = disjointUsage({
    input: larger('input_tokens') + cached + written,
    cached,
    written,
    writtenForHour: forHour,
    output: last?.output_tokens,
    reasoning: last?.output_tokens_details?.thinking_tokens,
  });
  return usage === null ? null : { ...usage, estimated: !last };
}
