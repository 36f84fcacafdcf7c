import { expect, test } from '@jest/globals';
import type { CountTexts } from '../../contracts/count-tokens.ts';
import {
  boundInputTokens,
  moreImageTokens,
  mostMediaTokens,
  roughInputTokens,
  worstInputTokens,
} from '../../contracts/tokens.ts';

const input = { messages: [{ role: 'user' as const, content: 'How do plants grow? '.repeat(20) }] };

function counter(tokens: number): CountTexts & { times: number } {
  const countTexts = async (texts: readonly string[]) => {
    countTexts.times += 1;
    return texts.map(() => tokens);
  };
  countTexts.times = 0;
  return countTexts;
}

test('an input is counted once, however often its bound is asked for', async () => {
  const countTexts = counter(1_000);
  const [first, second] = await Promise.all([
    boundInputTokens(input, countTexts),
    boundInputTokens(input, countTexts),
  ]);
  expect(await worstInputTokens(input, countTexts)).toBeGreaterThan(first);
  expect(second).toBe(first);
  expect(countTexts.times).toBe(1);
  await boundInputTokens({ ...input }, countTexts);
  expect(countTexts.times).toBe(2);
});

test('the rough count is never above the bound', async () => {
  for (const tokens of [0, 10, 1_000]) {
    expect(roughInputTokens(input)).toBeLessThanOrEqual(await boundInputTokens(input, counter(tokens)));
  }
});

// https://github.com/google-gemini/cookbook/issues/161
test.each([
  ['wav', 600_000, 2_000],
  ['mp3', 90_000, 1_000],
])('spoken input counts by its length, not by the characters of its encoding: %s', (format, bytes, most) => {
  const countTexts: CountTexts = async (texts) => texts.map((text) => text.length);
  const value = { type: 'input_audio', input_audio: { data: 'A'.repeat((bytes * 4) / 3), format } };
  const part = { type: 'native' as const, format: 'openai-chat' as const, value };
  const spoken = { messages: [{ role: 'user' as const, content: [part] }] };
  // Twenty seconds.
  expect(roughInputTokens(spoken)).toBeGreaterThan(640);
  return expect(boundInputTokens(spoken, countTexts)).resolves.toBeLessThan(most + 1_000);
});

test('images count as much as with the model that counts most of them, and less at a low detail', async () => {
  const image = (detail: string) => ({ type: 'image' as const, url: 'data:image/png;base64,AAAA', detail });
  const messages = [{ role: 'user' as const, content: [image('high'), image('low')] }];
  const reserved = async (...models: string[]) =>
    (await worstInputTokens({ messages }, counter(0))) + moreImageTokens(messages, models);
  const usual = await reserved('gpt-4o', 'claude-haiku-4-5');
  expect(usual).toBeGreaterThanOrEqual(4_000);
  expect(await reserved('gpt-4o', 'gpt-4o-mini-2024-07-18')).toBeGreaterThanOrEqual(48_169 + 2_833);
  expect((await reserved('gpt-4.1-nano')) - usual).toBe(3_779 - 2_000 + 833);
});

test('files that only the vendor sees may have any length', () => {
  const file = (url: string) => ({ type: 'file' as const, url, mediaType: 'application/pdf' });
  const messagesWith = (url: string) => [{ role: 'user' as const, content: [file(url)] }];
  expect(mostMediaTokens(messagesWith('data:application/pdf;base64,AAAA'))).toBe(0);
  expect(mostMediaTokens(messagesWith('https://files.example.com/film.mp4'))).toBe(1_000_000);
});
