/** Median and 99th percentile of times, by nearest rank, to a tenth of a millisecond. */
export function summary(timesMs: readonly number[]): { 'median ms': number; 'p99 ms': number } {
  const sorted = timesMs.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round((sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0) * 10) / 10;
  return { 'median ms': at(0.5), 'p99 ms': at(0.99) };
}
