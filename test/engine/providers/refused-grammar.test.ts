/**
 * Schemas that Claude does not compile: https://github.com/camel-ai/camel/pull/4171,
 * https://github.com/elie222/inbox-zero/issues/2323, https://github.com/vercel/ai/pull/17268,
 * https://github.com/anthropics/anthropic-sdk-typescript/issues/885.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { GenerationInput } from '../../../contracts/generation.ts';
import type { Provider } from '../../../engine/providers/provider.ts';
import { adapterFor } from './adapter-for.ts';
import { callOf, errorOf, hear } from './hear.ts';
import { refusingVendor } from './refusing-vendor.ts';

const { received, refusals, start, stop } = refusingVendor();
let provider: Provider;
beforeAll(async () => {
  provider = adapterFor('anthropic-messages', { wire: 'anthropic-messages', baseUrl: await start() });
});
afterAll(stop);
beforeEach(() => {
  received.length = 0;
  refusals.length = 0;
});

const SCHEMA = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
};
const TOOLS = [
  { name: 'look', parameters: SCHEMA, strict: true },
  { name: 'find', parameters: SCHEMA },
];
const OUTPUT = { name: 'answer', schema: SCHEMA };
const ask = (input: Partial<GenerationInput>) => hear(provider, callOf(input, { model: 'claude-opus-4-8' }));

test.each([
  'Too many strict tools (21). The maximum number of strict tools supported is 20.',
  'Schemas contains too many optional parameters (87), which would make grammar compilation inefficient.',
  'The compiled grammar is too large, which would cause performance issues.',
  'Schema is too complex for compilation. Try reducing the number of tools.',
])('%s: tools are sent once more without being strict', async (words) => {
  refusals.push(words);
  expect((await ask({ tools: TOOLS })).error).toBeUndefined();
  const strict = received.map(({ body }) =>
    (body['tools'] as { strict?: boolean }[]).map((own) => own.strict),
  );
  expect(strict).toEqual([
    [true, undefined],
    [false, undefined],
  ]);
});

test('then the schema of the answer is sent in words', async () => {
  const words =
    'Schemas contains too many parameters with union types (20 parameters with type arrays or anyOf).';
  refusals.push(words, words);
  expect((await ask({ tools: TOOLS, output: OUTPUT, system: 'Be short.' })).error).toBeUndefined();
  const [first, second, third] = received.map(({ body }) => body);
  expect(first?.['output_config']).toHaveProperty('format');
  expect(second?.['output_config']).toEqual(first?.['output_config']);
  expect(third).not.toHaveProperty('output_config');
  expect(third?.['system']).toMatch(
    /^Be short\.\n\nAnswer with one JSON object.*"additionalProperties":false/s,
  );
});

test('a request that compiles nothing is not repeated', async () => {
  refusals.push('The compiled grammar is too large.');
  const heard = await ask({ tools: [{ name: 'find', parameters: SCHEMA }] });
  expect([errorOf(heard)?.code, received.length]).toEqual(['provider_bad_request', 1]);
});

test('a strict tool with an open object is refused by its place, before a call', async () => {
  const open = { type: 'object', properties: { a: { type: 'object', additionalProperties: true } } };
  const heard = await ask({ tools: [{ name: 'look', parameters: open, strict: true }] });
  expect(errorOf(heard)).toMatchObject({ code: 'unsupported_by_model' });
  expect(errorOf(heard)?.message).toContain('tools.look.parameters.properties.a must list its properties');
  expect(received).toHaveLength(0);
});
