import { expect, test } from '@jest/globals';
import { formatCost, formatDuration, shortId } from '../../../clients/web/src/format.ts';

test.each([
  [0, '$0.00'],
  [1, '$0.000001'],
  [10_000, '$0.01'],
  [1_234_567, '$1.234567'],
  [1_500_000_000, '$1,500.00'],
])('%i micro-USD are %s', (microUsd, text) => {
  expect(formatCost(microUsd)).toBe(text);
});

test.each([
  [12, '12 ms'],
  [1_250, '1.3 s'],
  [61_000, '1 min 1 s'],
])('%i ms are %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('a short id shows the ends of the id', () => {
  expect(shortId('gen_0123456789abcdef')).toBe('gen_012345…cdef');
  expect(shortId('gen_01')).toBe('gen_01');
});
