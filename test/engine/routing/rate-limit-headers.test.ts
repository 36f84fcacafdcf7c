import { expect, test } from '@jest/globals';
import { scarceLimits } from '../../../engine/routing/rate-limit-headers.ts';

const NOW = Date.UTC(2026, 10, 24, 12);
const left = (headers: Record<string, string>) => scarceLimits(new Headers(headers), NOW);

test('OpenAI: a nearly exhausted limit is reported with its wait', () => {
  const headers = {
    'x-ratelimit-limit-requests': '500',
    'x-ratelimit-remaining-requests': '3',
    'x-ratelimit-reset-requests': '6m0s',
    'x-ratelimit-limit-tokens': '150000',
    'x-ratelimit-remaining-tokens': '149000',
    'x-ratelimit-reset-tokens': '120ms',
  };
  expect(left(headers)).toEqual({
    requests: 3,
    tokens: null,
    resetMs: 360_000,
    msPerRequest: 360_000 / 497,
    msPerToken: null,
  });
});

test('Anthropic: the reset is a date, and the scarcer of input and output counts', () => {
  const headers = {
    'anthropic-ratelimit-input-tokens-limit': '1000',
    'anthropic-ratelimit-input-tokens-remaining': '90',
    'anthropic-ratelimit-input-tokens-reset': '2026-11-24T12:00:30Z',
    'anthropic-ratelimit-output-tokens-limit': '1000',
    'anthropic-ratelimit-output-tokens-remaining': '20',
    'anthropic-ratelimit-output-tokens-reset': '2026-11-24T12:00:10Z',
  };
  expect(left(headers)).toEqual({
    requests: null,
    tokens: 20,
    resetMs: 30_000,
    msPerRequest: null,
    msPerToken: 30_000 / 910,
  });
});

test('OpenRouter: the reset is a point in time', () => {
  const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW + 4_000) };
  expect(left(headers)).toEqual({
    requests: 0,
    tokens: null,
    resetMs: 4_000,
    msPerRequest: null,
    msPerToken: null,
  });
});

test.each([
  [{}],
  [{ 'x-ratelimit-remaining-requests': '499', 'x-ratelimit-limit-requests': '500' }],
  [{ 'x-ratelimit-remaining-requests': '', 'x-ratelimit-reset-requests': '1s' }],
  [{ 'x-ratelimit-remaining-requests': '-1', 'x-ratelimit-reset-requests': '30s' }],
  [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': 'soon' }],
  [{ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '2020-01-01T00:00:00Z' }],
])('nothing is reported if enough is left or nothing can be read: %j', (headers) => {
  expect(left(headers as Record<string, string>)).toBeNull();
});
