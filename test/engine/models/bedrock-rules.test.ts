/** Claude on Amazon Bedrock takes less than Anthropic's own API: what it lacks is left out, or refused by name. */
import { expect, test } from '@jest/globals';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { CalledModels } from '../../../engine/models/called-model.ts';
import { findInputRefusal } from '../../../engine/models/refuse-input.ts';
import { fitInput } from '../../../engine/models/rules/vendor-rules.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';

const aws = { wire: 'bedrock', region: 'eu-west-1' } as const;
const models = new CalledModels({ ...loadConfig({}), providers: { aws } });
const FORMAT = 'anthropic-messages' as const;

function callOf(input: Partial<GenerationInput>, model = 'eu.anthropic.claude-sonnet-4-5-v1:0') {
  const whole = { messages: [{ role: 'user' as const, content: 'Hi' }], maxOutputTokens: 4_000, ...input };
  const call = models.find({ provider: 'aws', model }, whole);
  if (call === null) throw new Error('no provider aws');
  return call;
}
const tool = (fields: object) => ({
  name: 'find',
  parameters: { type: 'object', properties: {} },
  native: { format: FORMAT, fields: { ...fields } },
});

test('betas that it lacks are left out, with the fields that are part of them', () => {
  const { input, dropped } = fitInput(
    callOf({
      native: {
        format: FORMAT,
        fields: { context_management: { edits: [] }, diagnostics: {}, thinking: { type: 'disabled' } },
        betas: ['claude-code-20250219', 'interleaved-thinking-2025-05-14', 'tool-search-tool-2025-10-19'],
      },
      tools: [
        tool({ defer_loading: true, eager_input_streaming: true, cache_control: { type: 'ephemeral' } }),
      ],
    }),
  );
  expect(input.native).toEqual({
    format: FORMAT,
    fields: { thinking: { type: 'disabled' } },
    betas: ['interleaved-thinking-2025-05-14', 'tool-search-tool-2025-10-19'],
  });
  expect(input.tools).toMatchObject([
    { native: { fields: { defer_loading: true, cache_control: { type: 'ephemeral' } } } },
  ]);
  expect(JSON.stringify(input.tools)).not.toContain('eager_input_streaming');
  expect(dropped).toEqual([
    'tools.eager_input_streaming',
    'context_management',
    'diagnostics',
    'anthropic-beta',
  ]);
});

test('a field of a beta that it has stays, and a request without any is as it was', () => {
  const betas = ['context-management-2025-06-27'];
  const native = { format: FORMAT, fields: { context_management: { edits: [] } }, betas };
  expect(fitInput(callOf({ native }))).toMatchObject({ input: { native }, dropped: [] });
  expect(fitInput(callOf({ native: { ...native, betas: ['other-2026-01-01'] } })).input).not.toHaveProperty(
    'native',
  );
});

test('its betas stay where all fields are left out', () => {
  const betas = ['effort-2025-11-24'];
  const { input } = fitInput(
    callOf({ native: { format: FORMAT, fields: { diagnostics: { a: 1 } }, betas } }),
  );
  expect(input.native).toEqual({ format: FORMAT, fields: {}, betas });
});

test('marks of the cache are without a scope, which is of a beta', () => {
  const marked = { cache_control: { type: 'ephemeral', scope: 'global' } };
  const { input } = fitInput(callOf({ tools: [tool(marked)] }));
  expect(input.tools).toMatchObject([{ native: { fields: { cache_control: { type: 'ephemeral' } } } }]);
  expect(JSON.stringify(input.tools)).not.toContain('scope');
});

// https://github.com/earendil-works/pi/pull/1570
test('an hour of the cache is left out where the model knows no hour', () => {
  const marked = {
    tools: [tool({ cache_control: { type: 'ephemeral', ttl: '1h' } })],
    promptCaching: '1h' as const,
  };
  const old = fitInput(callOf(marked, 'us.anthropic.claude-sonnet-4-20250514-v1:0')).input;
  expect(old.tools).toMatchObject([{ native: { fields: { cache_control: { type: 'ephemeral' } } } }]);
  expect([JSON.stringify(old.tools).includes('1h'), old.promptCaching]).toEqual([false, '5m']);
  const current = fitInput(callOf(marked)).input;
  expect([JSON.stringify(current.tools).includes('1h'), current.promptCaching]).toEqual([true, '1h']);
});

test('a tier of service is none of its fields', () => {
  const native = { format: FORMAT, fields: { service_tier: 'auto' } };
  expect(fitInput(callOf({ native }))).toMatchObject({ dropped: ['service_tier'] });
});

test('it loads nothing from an address', () => {
  const image = (url: string) => callOf({ messages: [{ role: 'user', content: [{ type: 'image', url }] }] });
  expect(findInputRefusal(image('data:image/png;base64,iVBORw0KGgo='))).toBeNull();
  expect(findInputRefusal(image('https://example.com/a.png'))?.message).toContain('send it as a data URL');
});
