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
  const { cached, written, writtenForHour } = cacheCountsOf(first, last);
  const uncached = Math.max(count(first?.input_tokens), count(last?.input_tokens));
  return { input: uncached + cached + written, cached, written, writtenForHour, output: last?.output_tokens };
}

/** What the first report counts as written, the last one may count as read: a token of the cache is one of the two. */
function cacheCountsOf(first: TokenCounts | null | undefined, last: TokenCounts | null | undefined) {
  const [before, after] = [statedOfCache(first), statedOfCache(last)];
  const read = (stated: typeof before) => ({
    cached: count(stated.cached ?? before.cached),
    written: count(stated.written ?? before.written),
    writtenForHour: count(stated.writtenForHour ?? before.writtenForHour),
  });
  const [least, own] = [read(before), read(after)];
  return own.cached + own.written >= least.cached + least.written ? own : least;
}

function statedOfCache(counts: TokenCounts | null | undefined) {
  const { cache_read_input_tokens: cached, cache_creation_input_tokens: created } = counts ?? {};
  const { ephemeral_5m_input_tokens: brief, ephemeral_1h_input_tokens: hour } = counts?.cache_creation ?? {};
  const isStated = [created, brief, hour].some((stated) => stated !== null && stated !== undefined);
  return {
    cached,
    written: isStated ? Math.max(count(created), count(brief) + count(hour)) : undefined,
    writtenForHour: hour,
  };
}
