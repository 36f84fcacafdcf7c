/**
 * Counts of which some lie within others, as disjoint parts. A vendor's details may be missing, null, or more than
 * their total (seen with cached tokens); no part is ever negative or no number, and the sums are the totals.
 */
import type { Usage } from '../../contracts/money.ts';

type Count = number | null | undefined;

export interface NestedCounts {
  /** All input, cached and written tokens within. */
  readonly input: Count;
  readonly cached?: Count;
  readonly written?: Count;
  /** All output, reasoning within. */
  readonly output: Count;
  readonly reasoning?: Count;
}

/** @returns null where nothing was counted: a call has tokens, so the vendor did not say. */
export function disjointUsage({ input, cached, written, output, reasoning }: NestedCounts): Usage | null {
  const [inputTokens, cachedInputTokens, cacheWriteTokens] = within(
    count(input),
    count(cached),
    count(written),
  );
  const [outputTokens, reasoningTokens] = within(count(output), count(reasoning), 0);
  if (count(input) + count(output) === 0) return null;
  return {
    inputTokens,
    cachedInputTokens,
    cacheWriteTokens,
    outputTokens,
    reasoningTokens,
    estimated: false,
  };
}

/** @returns the rest, and the two parts, which are cut to the total. */
function within(total: number, first: number, second: number): [number, number, number] {
  const a = Math.min(first, total);
  const b = Math.min(second, total - a);
  return [total - a - b, a, b];
}

/** No call has more; sums of such figures stay exact. */
const MOST_TOKENS = 1_000_000_000;

/** A report as a count: what is no number from 0 on counts nothing. */
export function count(value: unknown): number {
  if (typeof value !== 'number' || !(value > 0)) return 0;
  return Math.round(Math.min(value, MOST_TOKENS));
}
