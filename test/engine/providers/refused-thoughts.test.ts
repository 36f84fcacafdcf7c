/**
 * Thoughts that the vendor does not accept: https://github.com/ding113/claude-code-hub/pull/576,
 * https://github.com/awsl-project/maxx/pull/532.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import type { Message, Part } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { signThought } from '../../../tools/simulator/thought-signatures.ts';
import { simulatedForTests } from '../../harness/simulated-provider.ts';
import { adapterFor, KEY, simulatedConfig } from './adapter-for.ts';
import { callOf, errorOf, finishOf, hear } from './hear.ts';
import { type Event, named } from './odd-answer.ts';
import { completed, message, response } from './odd-responses.ts';

const server = simulatedForTests();

const FOREIGN: Part = {
  type: 'native',
  format: 'anthropic-messages',
  value: { type: 'thinking', thinking: 'Hm.', signature: 'c2lnbmVkIGVsc2V3aGVyZQ==' },
  isReasoning: true,
};
const TOOLS = [{ name: 'look', parameters: { type: 'object', properties: {} } }];

function conversation(marker: string, thoughts: readonly Part[] = [FOREIGN]): Message[] {
  return [
    { role: 'user', content: `Look. ${marker}` },
    {
      role: 'assistant',
      content: [...thoughts, { type: 'tool-call', id: 'a', name: 'look', arguments: '{}' }],
    },
    {
      role: 'user',
      content: [
        { type: 'tool-result', id: 'a', content: 'a boat' },
        { type: 'text', text: 'And? [[sim tokens=5 delay_ms=0]]' },
      ],
    },
  ];
}

test.each([
  ['claude-sonnet-4-5', { type: 'enabled', budget_tokens: 2_000 }],
  ['claude-opus-4-8', { type: 'adaptive' }],
])('%s is asked once more without them', async (model, thinking) => {
  const marker = `foreign-${model}`;
  const input: Partial<GenerationInput> = {
    messages: conversation(marker),
    tools: TOOLS,
    native: { format: 'anthropic-messages', fields: { thinking } },
    reasoning: { effort: 'low' },
  };
  const provider = adapterFor('anthropic-messages', simulatedConfig('anthropic-messages', server.url));
  const heard = await hear(provider, callOf(input, { model }));
  expect(heard.error).toBeUndefined();
  expect(finishOf(heard)?.reason).toBe('stop');
  const bodies = (await server.sim.received(marker)).map(({ body }) => JSON.stringify(body));
  expect(bodies.map((body) => body.includes('c2lnbmVk'))).toEqual([true, false]);
});

// https://github.com/karthink/gptel/issues/743, https://github.com/anthropics/claude-code/issues/20698
test('thoughts behind the words of their turn are left out, where the vendor wants them first', async () => {
  const value = { type: 'thinking', thinking: 'Hm.', signature: signThought(KEY, 'Hm.') };
  const words: Part = { type: 'text', text: 'I look.' };
  const input: Partial<GenerationInput> = {
    messages: conversation('behind', [words, { ...FOREIGN, value }]),
    tools: TOOLS,
    native: {
      format: 'anthropic-messages',
      fields: { thinking: { type: 'enabled', budget_tokens: 2_000 } },
    },
    reasoning: { effort: 'low' },
  };
  const provider = adapterFor('anthropic-messages', simulatedConfig('anthropic-messages', server.url));
  const heard = await hear(provider, callOf(input, { model: 'claude-sonnet-4-5' }));
  expect(heard.error).toBeUndefined();
  const bodies = (await server.sim.received('behind')).map(({ body }) => JSON.stringify(body));
  expect(bodies.map((body) => body.includes('"thinking"'))).toEqual([true, false]);
});

// https://github.com/alphaXiv/agents/pull/61
test('Gemini is asked once more without signatures that it refuses', async () => {
  const fields = { extra_content: { google: { thought_signature: 'c2lnbmVkIGVsc2V3aGVyZQ==' } } };
  const messages = conversation('gemini', []).map((message): Message => {
    if (message.role !== 'assistant') return message;
    const native = { format: 'openai-chat' as const, fields };
    const call: Part = { type: 'tool-call', id: 'a', name: 'look', arguments: '{}', native };
    return { role: 'assistant', content: [call] };
  });
  const provider = adapterFor('google', simulatedConfig('google', server.url));
  const heard = await hear(provider, callOf({ messages, tools: TOOLS }, { model: 'gemini-3-flash' }));
  expect(heard.error).toBeUndefined();
  const bodies = (await server.sim.received('gemini')).map(({ body }) => JSON.stringify(body));
  expect(bodies.map((body) => body.includes('c2lnbmVk'))).toEqual([true, false]);
});

const ISSUED_ELSEWHERE: Part = {
  type: 'native',
  format: 'openai-responses',
  value: { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'c2lnbmVkIGVsc2V3aGVyZQ==' },
  isReasoning: true,
};

test("OpenAI is asked once more without another account's reasoning", async () => {
  const provider = adapterFor('openai-responses', simulatedConfig('openai-responses', server.url));
  const messages = conversation('encrypted', [ISSUED_ELSEWHERE]);
  const heard = await hear(provider, callOf({ messages, tools: TOOLS }, { model: 'gpt-5.1' }));
  expect(heard.error).toBeUndefined();
  expect(finishOf(heard)?.reason).toBe('stop');
  const bodies = (await server.sim.received('encrypted')).map(({ body }) => JSON.stringify(body));
  expect(bodies.map((body) => body.includes('c2lnbmVk'))).toEqual([true, false]);
});

const WORDS = 'The encrypted content for item rs_1 could not be verified.';

test.each<[string, Event]>([
  ['an error', { type: 'error', code: 'invalid_encrypted_content', message: WORDS, sequence_number: 0 }],
  [
    'a failed response',
    {
      type: 'response.failed',
      response: response({ status: 'failed', error: { code: 'invalid_prompt', message: WORDS } }),
    },
  ],
])('and if it says so in %s that begins the stream', async (_event, refusal) => {
  const bodies: string[] = [];
  const vendor = createServer(async (request, answer) => {
    const body = await text(request);
    bodies.push(body);
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    answer.end(named(body.includes('rs_1') ? refusal : completed({ output: [message] })));
  });
  await once(vendor.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
  const provider = adapterFor('openai-responses', simulatedConfig('openai-responses', url));
  const heard = await hear(provider, callOf({ messages: conversation('', [ISSUED_ELSEWHERE]) }));
  vendor.close();
  expect([heard.error, heard.text]).toEqual([undefined, 'Hi']);
  expect(bodies.map((body) => body.includes('rs_1'))).toEqual([true, false]);
});

test('another refusal is none of them, and is not repeated', async () => {
  const provider = adapterFor('anthropic-messages', simulatedConfig('anthropic-messages', server.url));
  await server.sim.fault({ status: 400 });
  const heard = await hear(provider, callOf({ messages: conversation('once', []), tools: TOOLS }));
  expect(errorOf(heard)?.code).toBe('provider_bad_request');
  expect(await server.sim.received('once')).toHaveLength(1);
});
