/** How many tokens the input of a response has. */
import { expect, test } from '@jest/globals';
import type { Request } from 'express';
import type { Caller } from '../../../api/access/api-keys.ts';
import type { ApiDependencies } from '../../../api/dependencies.ts';
import { countResponseInput } from '../../../api/wires/openai-responses/count-tokens.ts';
import { countTexts } from '../../../contracts/count-tokens.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';

const context = { summary: 'They want a lamp.', lead: [], tail: [], keepsUserMessages: false };
const dependencies = {
  config: loadConfig({ OPENAI_API_KEY: 'k' }),
  countTexts,
  compactions: { open: async () => context },
} as unknown as ApiDependencies;

const tokensOf = async (body: object) => {
  const request = { is: () => 'json', get: () => 'application/json', body } as unknown as Request;
  const counted = await countResponseInput(dependencies, request, { tenant: 'acme' } as Caller);
  expect(counted.object).toBe('response.input_tokens');
  return counted.input_tokens;
};

// https://github.com/BerriAI/litellm/pull/38997
test('is more with each part of it, whatever the model', async () => {
  const model = 'anthropic/claude-sonnet-4-5';
  const short = await tokensOf({ model, input: 'Hello there.' });
  expect(short).toBeGreaterThan(2);
  expect(await tokensOf({ model, input: [{ role: 'user', content: 'Hello there.' }] })).toBe(short);
  expect(await tokensOf({ model, input: 'Hello there.', instructions: 'Be short.' })).toBeGreaterThan(short);
  const tools = [{ type: 'function', name: 'look', parameters: { type: 'object' } }];
  expect(await tokensOf({ model, input: 'Hello there.', tools })).toBeGreaterThan(short);
});

test('is that of what a compaction stands for, not of its seal', async () => {
  const item = { type: 'compaction', encrypted_content: `ubc1_${'x'.repeat(4_000)}` };
  const counted = await tokensOf({ input: [item, { role: 'user', content: 'And now?' }] });
  expect(counted).toBeGreaterThan(10);
  expect(counted).toBeLessThan(100);
});
