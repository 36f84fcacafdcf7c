/**
 * Quantiles without the single values: counts in buckets whose bounds grow by a constant factor, so that every quantile
 * is within 2.5 % of the true one. Two sketches are merged by adding their counts, so many processes may write to one.
 * Source: Masson, Rim and Lee, "DDSketch" (VLDB 2019).
 */
const RELATIVE_ERROR = 0.025;
const GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);

/** The bucket of a value; all values up to 1 are in the first. */
export function bucketOf(value: number): number {
  return value <= 1 ? 0 : Math.ceil(Math.log(value) / Math.log(GROWTH));
}

interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** In whole units. @returns null of no values. */
export function percentilesOf(counts: ReadonlyMap<number, number>): Percentiles | null {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantileOf(counts, share));
  if (p50 == null || p95 == null || p99 == null) return null;
  return { p50: Math.round(p50), p95: Math.round(p95), p99: Math.round(p99) };
}

/** @param counts how many values each bucket has. @returns null of no values. */
export function quantileOf(counts: ReadonlyMap<number, number>, share: number): number | null {
  const buckets = [...counts].sort(([a], [b]) => a - b);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  let before = 0;
  for (const [bucket, count] of buckets) {
    before += count;
    // Nearest rank: the first value that at least this share of all is not above.
    if (before >= Math.max(1, Math.ceil(share * total))) return (2 * GROWTH ** bucket) / (GROWTH + 1);
  }
  return null;
}
