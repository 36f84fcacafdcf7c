import { expect, test } from '@jest/globals';
import { isPlausibleUsage } from '../../../activities/attempt/plausible-usage.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { mostMediaTokens } from '../../../contracts/tokens.ts';

const attempt = {
  ownText: 'The river carries light. '.repeat(20),
  reason: 'stop' as const,
  reservedTokens: 1_200,
  mostMediaTokens: 0,
  maxOutputTokens: 1_000,
};
const usage = { ...NO_USAGE, inputTokens: 40, outputTokens: 110 };

test.each([
  ['as it was', usage],
  ['all input from the cache', { ...usage, inputTokens: 0, cachedInputTokens: 40 }],
  ['much hidden reasoning', { ...usage, reasoningTokens: 9_000 }],
  ['long instructions of the vendor', { ...usage, inputTokens: 9_000 }],
])('a report is believed: %s', (_, reported) => {
  expect(isPlausibleUsage(reported, attempt)).toBe(true);
});

test.each([
  ['no output for an answer', { ...usage, outputTokens: 0 }],
  ['three tokens for five hundred characters', { ...usage, outputTokens: 3 }],
  ['reasoning, but no answer', { ...usage, outputTokens: 0, reasoningTokens: 500 }],
  ['no input', { ...usage, inputTokens: 0 }],
  ['a negative count', { ...usage, cacheWriteTokens: -1 }],
  ['a million of input for a short prompt', { ...usage, cachedInputTokens: 1_000_000 }],
  ['a million of output under a small cap', { ...usage, outputTokens: 1_000_000 }],
  ['no number', { ...usage, inputTokens: Number.NaN }],
])('a report is not believed: %s', (_, reported) => {
  expect(isPlausibleUsage(reported, attempt)).toBe(false);
});

test('a report of images in all their detail is believed', () => {
  const image = { type: 'image' as const, url: 'data:image/png;base64,AAAA' };
  const messages = [{ role: 'user' as const, content: [image, image] }];
  // Two images of 1,024 by 1,024 pixels, by gpt-4o-mini.
  const seen = { ...usage, inputTokens: 51_042 };
  expect(isPlausibleUsage(seen, attempt)).toBe(false);
  expect(isPlausibleUsage(seen, { ...attempt, mostMediaTokens: mostMediaTokens(messages) })).toBe(true);
});

test('an answer that was cut at the cap may have only reasoning', () => {
  const thought = { ...usage, outputTokens: 0, reasoningTokens: 1_000 };
  expect(isPlausibleUsage(thought, { ...attempt, reason: 'length' })).toBe(true);
});
