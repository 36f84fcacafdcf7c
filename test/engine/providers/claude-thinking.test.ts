/** The thinking and the effort of a client of Anthropic's format, at models that it was not written for. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mapMessagesRequest, messagesSchema } from '../../../api/wires/anthropic-messages/request.ts';
import type { NativeRequest } from '../../../contracts/content.ts';
import type { GenerationInput, ReasoningEffort } from '../../../contracts/generation.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { type FixtureServer, readFixture, startFixtureServer } from './fixture-server.ts';
import { callOf, errorOf, hear } from './hear.ts';

let server: FixtureServer;
beforeAll(async () => {
  server = await startFixtureServer();
});
afterAll(() => server.stop());

async function sent(model: string, input: Partial<GenerationInput>) {
  server.requests.length = 0;
  server.play(readFixture('anthropic-messages', 'plain'));
  const provider = adapterFor('anthropic-messages', simulatedConfig('anthropic-messages', server.url));
  const heard = await hear(provider, callOf({ maxOutputTokens: 32_000, ...input }, { model }));
  return { heard, body: server.requests[0]?.body as Record<string, unknown> | undefined };
}

const native = (fields: object): NativeRequest => ({ format: 'anthropic-messages', fields: { ...fields } });
const ENABLED = { type: 'enabled', budget_tokens: 2_000 };
const ADAPTIVE = { type: 'adaptive' };
const SUMMARIZED = { type: 'adaptive', display: 'summarized' };
const DISABLED = { type: 'disabled' };
const BETWEEN = { type: 'between_tools' };

// Sources: Anthropic, "Thinking", "Effort"; https://github.com/Sylinko/Everywhere/issues/410,
// https://github.com/vellum-ai/vellum-assistant/pull/37276, https://github.com/androoAGI/starnet/issues/32.
test.each([
  ['claude-opus-4-8', ENABLED, 'low', SUMMARIZED, { effort: 'low' }],
  ['us.anthropic.claude-opus-5', ENABLED, 'low', SUMMARIZED, { effort: 'low' }],
  ['claude-opus-4-6', ENABLED, 'low', ENABLED, { effort: 'low' }],
  ['claude-sonnet-4-5', ADAPTIVE, 'medium', { type: 'enabled', budget_tokens: 4_096 }, undefined],
  ['claude-haiku-4-5-20251001', ADAPTIVE, 'high', { type: 'enabled', budget_tokens: 16_384 }, undefined],
  ['claude-opus-4-5', ADAPTIVE, 'max', { type: 'enabled', budget_tokens: 25_600 }, { effort: 'high' }],
  ['claude-opus-4-8', ADAPTIVE, 'high', ADAPTIVE, { effort: 'high' }],
  ['claude-opus-4-8', DISABLED, 'none', DISABLED, undefined],
  ['claude-opus-5', DISABLED, 'max', DISABLED, { effort: 'high' }],
  ['claude-opus-5-5', DISABLED, 'none', undefined, { effort: 'low' }],
  ['claude-fable-5', DISABLED, 'none', undefined, { effort: 'low' }],
  ['claude-sonnet-5-5', DISABLED, 'none', BETWEEN, { effort: 'low' }],
  ['claude-sonnet-5-5', BETWEEN, 'low', BETWEEN, { effort: 'low' }],
  ['claude-sonnet-5', BETWEEN, 'low', DISABLED, { effort: 'low' }],
  ['claude-haiku-5-5', DISABLED, 'low', DISABLED, { effort: 'low' }],
] as const)('%s gets %j with effort %s as %j, %j', async (...row) => {
  const [model, thinking, effort, expected, config] = row;
  const isOn = thinking.type !== 'disabled';
  const own = effort === 'none' ? { thinking } : { thinking, output_config: { effort } };
  const { body } = await sent(model, {
    native: native(own),
    reasoning: { effort: effort as ReasoningEffort, ...(isOn ? {} : { thinks: false }) },
  });
  expect([body?.['thinking'], body?.['output_config']]).toEqual([expected, config]);
});

// https://github.com/decolua/9router/pull/3792, https://github.com/router-for-me/CLIProxyAPI/pull/1516
test.each([
  ['claude-opus-4-8', ADAPTIVE, ADAPTIVE, { effort: 'high' }],
  ['claude-opus-4-6', ENABLED, ENABLED, undefined],
  ['claude-opus-4-8', ENABLED, SUMMARIZED, { effort: 'low' }],
  ['claude-sonnet-4-5', ADAPTIVE, { type: 'enabled', budget_tokens: 16_384 }, undefined],
  ['claude-opus-4-8', DISABLED, DISABLED, undefined],
] as const)("%s gets %j without an effort as %j with its vendor's own, %j", async (...row) => {
  const [model, thinking, expected, config] = row;
  const messages = [{ role: 'user', content: 'Hi' }];
  const request = messagesSchema.parse({ model: 'anthropic/m', max_tokens: 32_000, thinking, messages });
  const { native: own, reasoning } = mapMessagesRequest(loadConfig({}), request, []).request;
  const { body } = await sent(model, { ...(own && { native: own }), ...(reasoning && { reasoning }) });
  expect([body?.['thinking'], body?.['output_config']]).toEqual([expected, config]);
});

test('an effort of other formats turns off what a newer model does by itself', async () => {
  const off = async (model: string) => (await sent(model, { reasoning: { effort: 'none' } })).body;
  expect(await off('claude-opus-5')).toMatchObject({ thinking: DISABLED });
  expect(await off('claude-opus-4-8')).not.toHaveProperty('thinking');
  expect(await off('claude-opus-5-5')).toMatchObject({ output_config: { effort: 'low' } });
});

describe('edits of thoughts', () => {
  const CLEAR = { type: 'clear_thinking_20251015', keep: 'all' };
  const TOOLS = { type: 'clear_tool_uses_20250919' };

  // https://github.com/PostHog/posthog/issues/76192
  test.each([
    [{ edits: [CLEAR] }, undefined],
    [{ edits: [CLEAR, TOOLS] }, { edits: [TOOLS] }],
  ])('are left out where nothing is thought: %j', async (context_management, expected) => {
    const { body } = await sent('claude-opus-4-8', { native: native({ context_management }) });
    expect(body?.['context_management']).toEqual(expected);
  });

  test('stay where the model thinks', async () => {
    const fields = { context_management: { edits: [CLEAR] }, thinking: ADAPTIVE };
    const { body } = await sent('claude-opus-4-8', {
      native: native(fields),
      reasoning: { effort: 'high' },
    });
    expect(body).toMatchObject(fields);
  });
});

// https://github.com/can1357/oh-my-pi/issues/12939
test('a tool is not forced at a model that refuses it, and the request says so before the call', async () => {
  const input: Partial<GenerationInput> = {
    tools: [{ name: 'find', parameters: { type: 'object' } }],
    toolChoice: { name: 'find' },
  };
  const refused = await sent('claude-opus-5-5', input);
  expect([refused.body, errorOf(refused.heard)?.code]).toEqual([undefined, 'unsupported_by_model']);
  expect(errorOf(refused.heard)?.details).toEqual({ param: 'toolChoice' });
  expect((await sent('claude-haiku-5-5', input)).body).toMatchObject({ tool_choice: { type: 'tool' } });
});
