/**
 * Hosts of Anthropic's format that refuse what they do not know: https://github.com/decolua/9router/issues/1468,
 * https://github.com/anthropics/claude-code/issues/13770,
 * https://github.com/anthropics/claude-agent-sdk-python/issues/694,
 * https://github.com/UKGovernmentBEIS/inspect_ai/pull/3851, https://github.com/vercel/ai/pull/13986,
 * https://github.com/langchain-ai/langchain-google/issues/1612.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { GenerationInput } from '../../../contracts/generation.ts';
import type { Provider } from '../../../engine/providers/provider.ts';
import { adapterFor } from './adapter-for.ts';
import { callOf, errorOf, hear } from './hear.ts';
import { refusingVendor } from './refusing-vendor.ts';

const { received, refusals, start, stop } = refusingVendor();
let provider: Provider;
let baseUrl: string;
beforeAll(async () => {
  baseUrl = await start();
  provider = adapterFor('anthropic-messages', { wire: 'anthropic-messages', baseUrl });
});
afterAll(stop);
beforeEach(() => {
  received.length = 0;
  refusals.length = 0;
});

const FORMAT = 'anthropic-messages' as const;
const INPUT: Partial<GenerationInput> = {
  tools: [
    {
      name: 'find',
      parameters: { type: 'object', properties: {} },
      native: {
        format: FORMAT,
        fields: { eager_input_streaming: true, cache_control: { type: 'ephemeral', ttl: '1h' } },
      },
    },
  ],
  native: {
    format: FORMAT,
    fields: { context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } },
    betas: ['oauth-2025-04-20', 'context-management-2025-06-27'],
  },
};
const ask = (input = INPUT, model = 'claude-opus-4-8') => hear(provider, callOf(input, { model }));

test('what a refusal names is left out, one after the other', async () => {
  refusals.push(
    'Unexpected value(s) `oauth-2025-04-20` for the `anthropic-beta` header.',
    'context_management: Extra inputs are not permitted',
    'tools.0.custom.eager_input_streaming: Extra inputs are not permitted',
    'tools.0.custom.cache_control.ephemeral.ttl: Extra inputs are not permitted',
  );
  expect((await ask()).error).toBeUndefined();
  const last = received.at(-1);
  expect(received).toHaveLength(5);
  expect(last?.betas).toBe('context-management-2025-06-27');
  expect(last?.body).not.toHaveProperty('context_management');
  expect(last?.body['tools']).toEqual([
    {
      name: 'find',
      input_schema: { type: 'object', properties: {} },
      cache_control: { type: 'ephemeral' },
    },
  ]);
});

const MARK = { type: 'ephemeral', ttl: '1h' };
const marked = { native: { format: FORMAT, fields: { cache_control: MARK } } };

test('a mark of the whole request stands at its end, where a host does not know it', async () => {
  refusals.push('cache_control: Extra inputs are not permitted');
  const messages = [{ role: 'user' as const, content: 'Hi' }];
  expect((await ask({ ...marked, messages })).error).toBeUndefined();
  const [first, last] = received.map(({ body }) => body);
  expect(first).toMatchObject({ cache_control: MARK, messages });
  expect(last).not.toHaveProperty('cache_control');
  expect(last?.['messages']).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: MARK }] },
  ]);
});

test('Bedrock does not know it, and is not asked', async () => {
  const bedrock = adapterFor('bedrock', { wire: 'bedrock', baseUrl, region: 'eu-west-1' });
  await hear(bedrock, callOf({ ...marked, messages: [{ role: 'user', content: 'Hi' }] }));
  expect(received).toHaveLength(1);
  expect(received[0]?.body).not.toHaveProperty('cache_control');
  expect(received[0]?.body['messages']).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: MARK }] },
  ]);
});

test('a mark that stands there already stays', async () => {
  refusals.push('cache_control: Extra inputs are not permitted');
  const content = [{ type: 'text' as const, text: 'Hi', ...marked }];
  const native = { format: FORMAT, fields: { cache_control: { type: 'ephemeral' } } };
  expect((await ask({ native, messages: [{ role: 'user', content }] })).error).toBeUndefined();
  expect(received.at(-1)?.body['messages']).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'Hi', cache_control: MARK }] },
  ]);
});

test('what a client sends back of a call, and an effort alone, are left out', async () => {
  const caller = { type: 'direct' };
  refusals.push(
    'messages.1.content.0.tool_use.caller: Extra inputs are not permitted',
    'output_config: Extra inputs are not permitted',
  );
  const call = { type: 'tool-call' as const, id: 'toolu_1', name: 'find', arguments: '{"caller":1}' };
  const input: Partial<GenerationInput> = {
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: [{ ...call, native: { format: FORMAT, fields: { caller } } }] },
      { role: 'user', content: [{ type: 'tool-result', id: 'toolu_1', content: 'found' }] },
    ],
    reasoning: { effort: 'low', thinks: false },
  };
  expect((await ask(input)).error).toBeUndefined();
  expect(received[0]?.body).toMatchObject({ output_config: { effort: 'low' } });
  const last = received.at(-1)?.body ?? {};
  expect(last).not.toHaveProperty('output_config');
  expect((last['messages'] as object[])[1]).toEqual({
    role: 'assistant',
    content: [{ type: 'tool_use', id: 'toolu_1', name: 'find', input: { caller: 1 } }],
  });
});

/**
 * The name of a deployment does not say which model it is:
 * https://github.com/anthropics/claude-code-action/issues/1005,
 * https://github.com/docker/docker-agent/issues/3362, https://github.com/aaronrussell/anthropix/pull/20.
 */
describe('thinking in the other kind than the model has', () => {
  const model = 'arn:aws:bedrock:us-east-1:1:application-inference-profile/x';
  const thinking = (fields: object) => ({ native: { format: FORMAT, fields: { thinking: fields } } });

  test('a model without adaptive thinking gets a budget by the effort', async () => {
    refusals.push('adaptive thinking is not supported on this model');
    const { native } = thinking({ type: 'adaptive' });
    const input = { native, reasoning: { effort: 'medium' as const }, maxOutputTokens: 10_000 };
    expect((await ask(input, model)).error).toBeUndefined();
    expect(received.at(-1)?.body).toMatchObject({ thinking: { type: 'enabled', budget_tokens: 4_096 } });
    expect(received.at(-1)?.body).not.toHaveProperty('output_config');
  });

  test('a model without budgets thinks as it wants', async () => {
    refusals.push(
      '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort".',
    );
    const input = { ...thinking({ type: 'enabled', budget_tokens: 2_000 }), maxOutputTokens: 10_000 };
    expect((await ask(input, model)).error).toBeUndefined();
    expect(received.at(-1)?.body).toMatchObject({ thinking: { type: 'adaptive', display: 'summarized' } });
  });
});

test.each([
  'messages.0.content: Extra inputs are not permitted',
  'mcp_servers: Extra inputs are not permitted',
  'max_tokens: Input should be a valid integer',
])('what the answer needs stays, and the refusal is the answer: %s', async (message) => {
  refusals.push(message);
  const heard = await ask();
  expect([errorOf(heard)?.code, received.length]).toEqual(['provider_bad_request', 1]);
});

test('a host that always refuses is asked a few times only', async () => {
  refusals.push(
    ...Array.from(
      { length: 9 },
      () => 'invalid beta flag; context_management: Extra inputs are not permitted',
    ),
  );
  expect(errorOf(await ask())?.code).toBe('provider_bad_request');
  expect(received.length).toBeLessThanOrEqual(5);
});
