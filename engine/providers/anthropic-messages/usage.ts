/** Anthropic's input counts are disjoint already, its thinking is within output; the last report holds the sums. */
import type { Usage } from '../../../contracts/money.ts';
import { count, disjointUsage } from '../disjoint-usage.ts';

export interface ReportedUsage {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly output_tokens_details?: { readonly thinking_tokens?: number | null } | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
}

/**
 * `message_delta` may leave out what `message_start` told. Before it the output is not counted: the figure of
 * `message_start` is a stand-in.
 */
export function toUsage(
  first: ReportedUsage | null | undefined,
  last: ReportedUsage | null | undefined,
): Usage | null {
  const cached = count(last?.cache_read_input_tokens ?? first?.cache_read_input_tokens);
  const written = count(last?.cache_creation_input_tokens ?? first?.cache_creation_input_tokens);
  const usage = disjointUsage({
    input: count(last?.input_tokens ?? first?.input_tokens) + cached + written,
    cached,
    written,
    output: last?.output_tokens,
    reasoning: last?.output_tokens_details?.thinking_tokens,
  });
  return usage === null ? null : { ...usage, estimated: !last };
}
