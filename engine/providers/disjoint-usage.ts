/**
 * Converts a vendor's nested counts to disjoint ones. A vendor's details may be missing, null, or larger than their
 * total (seen with cached tokens). Each result is a number from 0 on, and the results add up to the totals.
 */
import { audioTokens, hourTokens, imageTokens, type Usage } from '../../contracts/money.ts';

type Count = number | null | undefined;

interface NestedCounts {
  /** All input, including cached and written tokens. */
  readonly input: Count;
  /** The spoken part of the input that was not cached. */
  readonly audio?: Count;
  readonly cached?: Count;
  readonly written?: Count;
  /** The part of `written` that is kept for an hour. */
  readonly writtenForHour?: Count;
  /** All output, including reasoning. */
  readonly output: Count;
  /** The part of the visible output that is pictures. */
  readonly image?: Count;
  readonly reasoning?: Count;
}

/** @returns null if all counts are 0: every call has tokens, so the vendor did not report them. */
export function disjointUsage(counts: NestedCounts): Usage | null {
  const { input, audio, cached, written, writtenForHour, output, image, reasoning } = counts;
  const [inputTokens, cachedInputTokens, cacheWriteTokens] = within(
    count(input),
    count(cached),
    count(written),
  );
  const [outputTokens, reasoningTokens] = within(count(output), count(reasoning), 0);
  if (count(input) + count(output) === 0) return null;
  return {
    inputTokens,
    ...audioTokens(Math.min(count(audio), inputTokens)),
    cachedInputTokens,
    cacheWriteTokens,
    ...hourTokens(Math.min(count(writtenForHour), cacheWriteTokens)),
    outputTokens,
    ...imageTokens(Math.min(count(image), outputTokens)),
    reasoningTokens,
    estimated: false,
  };
}

/** @returns the rest, and the two parts, which are bounded by the total. */
function within(total: number, first: number, second: number): [number, number, number] {
  const a = Math.min(first, total);
  const b = Math.min(second, total - a);
  return [total - a - b, a, b];
}

/** No call has more; sums of such numbers stay exact. */
const MOST_TOKENS = 1_000_000_000;

/** A reported value as a count; 0 unless it is a positive number, perhaps as text. */
export function count(reported: unknown): number {
  const value = typeof reported === 'string' && /^\d+$/.test(reported) ? Number(reported) : reported;
  if (typeof value !== 'number' || !(value > 0)) return 0;
  return Math.round(Math.min(value, MOST_TOKENS));
}
