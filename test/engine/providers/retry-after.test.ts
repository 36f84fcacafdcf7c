import { describe, expect, test } from '@jest/globals';
import { retryAfterMs, waitOfLongLimit } from '../../../engine/vendor-errors/retry-after.ts';

const NOW = Date.parse('2026-11-24T06:00:00Z');
const waitOf = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), '', NOW);

describe('the wait that a vendor asks for', () => {
  test.each<[string, Record<string, string>, number | undefined]>([
    ['milliseconds (OpenAI)', { 'retry-after-ms': '1234', 'retry-after': '9' }, 1_234],
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['parts of a second', { 'retry-after': '0.25' }, 250],
    ['a date', { 'retry-after': 'Tue, 24 Nov 2026 06:00:30 GMT' }, 30_000],
    ['a date that is over', { 'retry-after': 'Tue, 24 Nov 2026 05:00:00 GMT' }, 0],
    ['a point in time in seconds', { 'retry-after': String(NOW / 1_000 + 5) }, 5_000],
    ['nothing', {}, undefined],
    ['an empty header', { 'retry-after': '' }, undefined],
    ['no time', { 'retry-after': 'soon' }, undefined],
    [
      'the reset of a spent limit (OpenAI)',
      { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '6m0s' },
      360_000,
    ],
    [
      'the reset of a spent limit (Groq)',
      { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '2m59.56s' },
      179_560,
    ],
    [
      'the reset of a spent limit (Anthropic)',
      {
        'anthropic-ratelimit-requests-remaining': '0',
        'anthropic-ratelimit-requests-reset': '2026-11-24T06:00:12Z',
      },
      12_000,
    ],
    [
      'the reset of a spent limit (OpenRouter)',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW + 4_000) },
      4_000,
    ],
    [
      'the reset of a limit with room does not matter',
      { 'x-ratelimit-remaining-requests': '5', 'x-ratelimit-reset-requests': '6m0s' },
      undefined,
    ],
    [
      'the next request of a spent limit that refills evenly (OpenAI)',
      {
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '1m',
      },
      1_000,
    ],
    [
      'the longest of several spent limits',
      {
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': '1s',
        'x-ratelimit-remaining-tokens': '0',
        'x-ratelimit-reset-tokens': '20ms',
      },
      1_000,
    ],
  ])('%s', (_name, headers, expected) => {
    expect(waitOf(headers)).toBe(expected);
  });

  test('in words comes before the reset of a limit, and after the header', () => {
    const reset = { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '6m0s' };
    const words = 'Rate limit reached. Please try again in 1m2.5s. Visit the page.';
    expect(retryAfterMs(new Headers(reset), words, NOW)).toBe(62_500);
    expect(retryAfterMs(new Headers({ ...reset, 'retry-after': '2' }), words, NOW)).toBe(2_000);
    expect(retryAfterMs(undefined, 'Please try again later.', NOW)).toBeUndefined();
  });
});

test.each<[string, number | undefined]>([
  ['Requests per day limit exceeded - too many requests sent.', 3_600_000],
  ['Your daily limit of free requests is reached', 3_600_000],
  ['Rate limit exceeded. Try again tomorrow.', 3_600_000],
  ['limited to 1000 API calls / month', 3_600_000],
  ['Requests per minute limit exceeded', undefined],
  ['Rate limit exceeded: 20 requests per minute, 1000 per day', undefined],
  ['Too many requests.', undefined],
])('a limit of a day is left alone for an hour: %s', (words, waitMs) => {
  expect(waitOfLongLimit(words)).toBe(waitMs);
});
