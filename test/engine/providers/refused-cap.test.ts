/** Caps that a model cannot write, in the words of those who refuse them. Each row names where it was reported. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { adapterFor } from './adapter-for.ts';
import { callOf, errorOf, hear } from './hear.ts';
import { refusingVendor } from './refusing-vendor.ts';

type Wire = 'openai-chat' | 'anthropic-messages';
const { received, refusals, start, stop } = refusingVendor();
let address: string;
beforeAll(async () => {
  address = await start();
});
afterAll(stop);
beforeEach(() => {
  received.length = 0;
  refusals.length = 0;
});

async function ask(wire: Wire, words: readonly string[], fields: object = {}) {
  refusals.push(...words);
  const provider = adapterFor('some', { wire, baseUrl: address });
  const native = { format: 'anthropic-messages' as const, fields: { ...fields } };
  const input = wire === 'openai-chat' ? {} : { native, maxOutputTokens: 32_000 };
  return await hear(provider, callOf(input, { model: 'some-model', maxOutputTokens: 32_000 }));
}

test.each([
  [
    'openai-chat',
    'Invalid max_tokens value, the valid range of max_tokens is [1, 8192]',
    8_192,
    'https://github.com/router-for-me/CLIProxyAPI/issues/599',
  ],
  [
    'openai-chat',
    'max_tokens (current value: 32000) must be between 0 and 16384',
    16_384,
    'https://github.com/cline/cline/issues/8337',
  ],
  [
    'openai-chat',
    'max_tokens is too large: 32000. This model supports at most 16384 completion tokens, whereas you provided 32000.',
    16_384,
    'https://github.com/enoch3712/ExtractThinker/issues/346',
  ],
  [
    'openai-chat',
    '`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the `context_window` for this model',
    8_192,
    'https://github.com/khoj-ai/khoj/issues/1236',
  ],
  [
    'openai-chat',
    'The parameter `max_tokens` specified in the request are not valid: integer above maximum value, expected a value <= 12288, but got 32000 instead.',
    12_288,
    'https://github.com/Gitlawb/openclaude/issues/331',
  ],
  [
    'openai-chat',
    "max_tokens (32000) exceeds model's maximum output tokens (16384) for model some-model",
    16_384,
    'https://github.com/DaviRain-Su/hyper-grok-build/issues/44',
  ],
  [
    'anthropic-messages',
    'max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens for some-model',
    8_192,
    'https://github.com/langchain-ai/chat-langchain/pull/287',
  ],
] as const)('%s: %s', async (own, words, most, source) => {
  expect(source).toMatch(/^https:/);
  expect(errorOf(await ask(own, [words]))).toBeUndefined();
  expect(received.map(({ body }) => body['max_tokens'])).toEqual([32_000, most]);
});

test('the budget for thoughts stays below the lower cap', async () => {
  const words =
    'max_tokens: 32000 > 8192, which is the maximum allowed number of output tokens for some-model';
  const fields = { thinking: { type: 'enabled', budget_tokens: 31_999 } };
  expect(errorOf(await ask('anthropic-messages', [words], fields))).toBeUndefined();
  const [, second] = received.map(({ body }) => body) as {
    max_tokens: number;
    thinking: { budget_tokens: number };
  }[];
  expect(second?.max_tokens).toBe(8_192);
  expect(second?.thinking.budget_tokens).toBeLessThan(8_192);
});

test.each([
  'max_tokens: 32000 is not valid',
  'The temperature must be between 0 and 2',
  'max_tokens must be between 40000 and 50000',
])('%s: names no lower cap, and is not repeated', async (words) => {
  expect(errorOf(await ask('openai-chat', [words]))?.code).toBe('provider_bad_request');
  expect(received).toHaveLength(1);
});
