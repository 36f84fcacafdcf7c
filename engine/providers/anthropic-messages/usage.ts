/** Anthropic's input counts are disjoint already, its thinking is within output; the last report has the totals. */
import { isJsonObject } from '../../../contracts/json.ts';
import type { Usage } from '../../../contracts/money.ts';
import { count, disjointUsage } from '../disjoint-usage.ts';

interface TokenCounts {
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  /** By lifetime; the two add up to `cache_creation_input_tokens`. */
  readonly cache_creation?: {
    readonly ephemeral_5m_input_tokens?: number | null;
    readonly ephemeral_1h_input_tokens?: number | null;
  } | null;
}

export interface AnthropicUsage extends TokenCounts {
  readonly output_tokens_details?: { readonly thinking_tokens?: number | null } | null;
  /** The calls of the model within the message. */
  readonly iterations?: unknown;
}

type InputCount = 'input_tokens' | 'cache_read_input_tokens' | 'cache_creation_input_tokens';

/**
 * The counts are cumulative. `message_delta` may omit what `message_start` reported, and compatible servers send 0 in
 * one of the two. Without `message_delta` there is no count of the output: the
 * number in `message_start` is a placeholder. What it took to summarise earlier turns is billed, and is not among the
 * counts of the message. Source: Anthropic, "Compaction", "Understanding usage".
 */
export function mapAnthropicUsage(
  first: AnthropicUsage | null | undefined,
  last: AnthropicUsage | null | undefined,
): Usage | null {
  const all = [countsOf(first, last), ...compactionsOf(last ?? first).map((own) => countsOf(null, own))];
  const sum = (name: keyof ReturnType<typeof countsOf>) =>
    all.reduce((total, counts) => total + count(counts[name]), 0);
  const usage = disjointUsage({
    input: sum('input'),
    cached: sum('cached'),
    written: sum('written'),
    writtenForHour: sum('writtenForHour'),
    output: sum('output'),
    reasoning: last?.output_tokens_details?.thinking_tokens,
  });
  return usage === null ? null : { ...usage, estimated: !last };
}

function compactionsOf(usage: AnthropicUsage | null | undefined): readonly TokenCounts[] {
  const all: readonly unknown[] = Array.isArray(usage?.iterations) ? usage.iterations : [];
  return all.flatMap((own) => (isJsonObject(own) && own['type'] === 'compaction' ? [own] : []));
}

function countsOf(first: TokenCounts | null | undefined, last: TokenCounts | null | undefined) {
  const larger = (name: InputCount) => Math.max(count(first?.[name]), count(last?.[name]));
  const cached = larger('cache_read_input_tokens');
  const lifetimes = last?.cache_creation ?? first?.cache_creation;
  const writtenForHour = count(lifetimes?.ephemeral_1h_input_tokens);
  const written = Math.max(
    larger('cache_creation_input_tokens'),
    writtenForHour + count(lifetimes?.ephemeral_5m_input_tokens),
  );
  const input = larger('input_tokens') + cached + written;
  return { input, cached, written, writtenForHour, output: last?.output_tokens };
}
