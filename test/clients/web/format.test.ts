import { expect, test } from '@jest/globals';
import { formatCost, formatDuration, formatTokens, shortId } from '../../../clients/web/src/format.ts';
import { NO_USAGE } from '../../../contracts/money.ts';

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

test('tokens say what the provider had in its prompt cache, if it had anything', () => {
  const usage = { ...NO_USAGE, inputTokens: 1_000, outputTokens: 20 };
  expect(formatTokens(usage)).toBe('1,000 in, 20 out');
  expect(formatTokens({ ...usage, cachedInputTokens: 9_000 })).toBe(
    '10,000 in (9,000 from the provider’s cache), 20 out',
  );
  expect(formatTokens({ ...usage, cachedInputTokens: 9_000, cacheWriteTokens: 500 })).toBe(
    '10,500 in (9,000 from the provider’s cache, 500 written to it), 20 out',
  );
});
