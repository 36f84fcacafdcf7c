/** A benchmark of memory that cannot fail measures nothing. */
import { describe, expect, test } from '@jest/globals';
import { type BatchRow, growthIn, tableOf } from '../../../tools/bench/batch-table.ts';

const row = (lines: number, more: Partial<BatchRow> = {}): BatchRow => ({
  lines,
  seconds: lines / 50,
  cpuMsPerLine: { API: 1, worker: 20.04 },
  residentMiB: { api: 120, worker: 300 },
  referencedMiB: { api: 40, worker: 80 },
  ...more,
});

describe('the bench of batches', () => {
  test('passes memory that is the same for all sizes, and counts lines and CPU', () => {
    const rows = [row(100), row(10_000, { residentMiB: { api: 180, worker: 420 } })];
    expect(growthIn(rows)).toEqual([]);
    expect(tableOf(rows)['10000']).toMatchObject({
      'lines/s': 50,
      'worker ms': 20,
      'all ms': 21,
      'worker MiB': 420,
    });
  });
  test.each<[string, Partial<BatchRow>, string]>([
    ['an API that holds the file', { referencedMiB: { api: 90, worker: 80 } }, 'api: 50 MiB more'],
    ['a worker that holds the results', { referencedMiB: { api: 40, worker: 140 } }, 'worker: 60 MiB more'],
  ])('finds %s', (_, more, what) => {
    expect(growthIn([row(100), row(100_000, more)]).join()).toContain(what);
  });
});
