/** How each wire asks a vendor to continue its text: the conversation ends with it, marked as the vendor wants it. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Message } from '../../../contracts/content.ts';
import { factsOf } from '../../../engine/models/catalogue.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import type { ProviderConfig, WireFamily } from '../../../platform/config/schema.ts';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { type FixtureServer, readFixture, startFixtureServer } from './fixture-server.ts';
import { callOf, hear } from './hear.ts';

let server: FixtureServer;
beforeAll(async () => {
  server = await startFixtureServer();
});
afterAll(() => server.stop());

const TEXT = 'The boat leaves';
const QUESTION: Message = { role: 'user', content: 'Tell me a story.' };

async function sent(
  wire: WireFamily,
  {
    config = {},
    messages = [QUESTION],
    path = '',
  }: { config?: Partial<ProviderConfig>; messages?: Message[]; path?: string } = {},
) {
  server.requests.length = 0;
  server.play(readFixture(wire === 'ai-sdk' ? 'openai-chat' : wire, 'plain'));
  const base = simulatedConfig(wire, server.url);
  const provider = adapterFor(wire, {
    ...base,
    ...config,
    ...(path === '' ? {} : { baseUrl: `${server.url}${path}` }),
  });
  const resume = { strategy: 'prefill', deliveredText: TEXT } as const;
  await hear(provider, callOf({ messages }, { model: 'model-1', resume }));
  return server.requests[0] as { path: string; body: Record<string, unknown> };
}

const chatTurn = { role: 'assistant', content: TEXT };

describe('an answer that is continued by prefill', () => {
  test.each<[WireFamily, string, object]>([
    ['openai-chat', 'messages', chatTurn],
    ['anthropic-messages', 'messages', { role: 'assistant' }],
    ['google', 'contents', { role: 'model', parts: [{ text: TEXT }] }],
    ['cohere', 'messages', { role: 'assistant' }],
    ['ai-sdk', 'messages', { role: 'assistant' }],
    ['openai-responses', 'input', { role: 'assistant' }],
  ])('ends the conversation of %s, without an instruction', async (wire, field, turn) => {
    const { body } = await sent(wire);
    const turns = body[field] as object[];
    expect(turns).toHaveLength(2);
    expect(turns.at(-1)).toMatchObject(turn);
    expect(JSON.stringify(turns.at(-1))).toContain(TEXT);
  });

  test('is marked as DeepSeek, Mistral and vLLM want it, and only then', async () => {
    const marked = async (prefill: 'prefix' | 'beta-prefix' | 'continue-final-message') =>
      (await sent('openai-chat', { config: { quirks: { prefill } } })).body;
    expect(await marked('prefix')).toMatchObject({ messages: [QUESTION, { ...chatTurn, prefix: true }] });
    expect(await marked('beta-prefix')).toMatchObject({
      messages: [QUESTION, { ...chatTurn, prefix: true }],
    });
    const ofVllm = await marked('continue-final-message');
    expect(ofVllm).toMatchObject({ continue_final_message: true, add_generation_prompt: false });
    expect(ofVllm['messages']).toEqual([QUESTION, chatTurn]);
    const plain = (await sent('openai-chat')).body;
    expect(plain['messages']).toEqual([QUESTION, chatTurn]);
    expect(plain).not.toHaveProperty('continue_final_message');
  });

  test("goes to DeepSeek's beta address, with or without a version in the other", async () => {
    const config = { quirks: { prefill: 'beta-prefix' as const } };
    for (const path of ['', '/', '/v1']) {
      expect((await sent('openai-chat', { config, path: path === '' ? '/x' : `/x${path}` })).path).toBe(
        '/x/beta/chat/completions',
      );
    }
    expect((await sent('openai-chat', { path: '/v1' })).path).toBe('/v1/chat/completions');
  });

  test('is one turn with what the caller began it with', async () => {
    const messages: Message[] = [QUESTION, { role: 'assistant', content: 'Once. ' }];
    const { body } = await sent('openai-chat', { messages });
    expect(body['messages']).toEqual([QUESTION, { role: 'assistant', content: `Once. ${TEXT}` }]);
  });

  test.each([
    ['mistral', 'mistral-large-latest', true],
    ['mistral', 'magistral-medium-latest', false],
    ['deepseek', 'deepseek-reasoner', false],
    ['openai', 'gpt-4o', false],
    ['vllm', 'any-model', false],
  ])('%s/%s is continued so by default: %s', (provider, model, prefill) => {
    expect(factsOf(loadConfig({}), provider, model).capabilities.prefill).toBe(prefill);
  });
});
