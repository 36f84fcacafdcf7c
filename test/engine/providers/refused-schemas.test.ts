/** Bounds that Gemini does not serve: https://github.com/vercel/ai/issues/21192 */
import { expect, test } from '@jest/globals';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { simulatedForTests } from '../../harness/simulated-provider.ts';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { callOf, errorOf, hear } from './hear.ts';

const server = simulatedForTests();

const list = (maxItems: number) => ({ type: 'array', items: { type: 'string', maxLength: 9 }, maxItems });
const object = (properties: object) => ({ type: 'object', properties, additionalProperties: false });
const MANY = object({ a: { ...list(500), description: 'Names.' }, b: list(500) });
const FEW = object({ a: list(5) });

async function bodiesFor(marker: string, input: Partial<GenerationInput>) {
  const messages = [{ role: 'user' as const, content: `${marker} [[sim tokens=5 delay_ms=0]]` }];
  const provider = adapterFor('google', simulatedConfig('google', server.url));
  const heard = await hear(provider, callOf({ ...input, messages }, { model: 'gemini-3-flash' }));
  const received = await server.sim.received(marker);
  return { error: errorOf(heard), bodies: received.map(({ body }) => body as Record<string, never>) };
}

test.each([
  ['of a tool', { tools: [{ name: 'look', parameters: MANY }] }],
  ['of an answer', { output: { name: 'answer', schema: MANY } }],
])('the schema %s is sent once more with its bounds in words', async (where, input) => {
  const { error, bodies } = await bodiesFor(where, input);
  expect(error).toBeUndefined();
  const [first, second] = bodies.map((body) => JSON.stringify(body));
  expect(first).toContain('"maxItems":500');
  expect(second).not.toContain('"maxItems"');
  expect(second).toContain('"description":"Names.\\n\\n{maxItems: 500}"');
  expect(second).toContain('"description":"{maxLength: 9}"');
  expect(bodies).toHaveLength(2);
});

test('bounds that the vendor takes are sent as they are', async () => {
  const { error, bodies } = await bodiesFor('few', { tools: [{ name: 'look', parameters: FEW }] });
  expect([error, bodies.length]).toEqual([undefined, 1]);
});

test('another refusal is none of them, and is not repeated', async () => {
  await server.sim.fault({ status: 400 });
  const { error, bodies } = await bodiesFor('another', { tools: [{ name: 'look', parameters: FEW }] });
  expect([error?.code, bodies.length]).toEqual(['provider_bad_request', 1]);
});
