/**
 * Counts of which some lie within others, as disjoint parts. A vendor's details may be missing, null, or more than
 * their total (seen with cached tokens); no part is ever negative or no number, and the sums are the totals.
 */
import type { Usage } from '../contracts/money.ts';

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

export function disjointUsage({ input, cached, written, output, reasoning }: NestedCounts): Usage {
  const [inputTokens, cachedInputTokens, cacheWriteTokens] = within(
    count(input),
    count(cached),
    count(written),
  );
  const [outputTokens, reasoningTokens] = within(count(output), count(reasoning), 0);
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

/** A report as a count: what is no number from 0 on counts nothing. */
export function count(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
}
