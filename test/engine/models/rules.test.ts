/** The rules of each vendor, on requests that keep and that break them. */
import { describe, expect, test } from '@jest/globals';
import type { Message } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { CalledModels } from '../../../engine/models/called-model.ts';
import { findInputRefusal } from '../../../engine/models/refuse-input.ts';
import { fitInput } from '../../../engine/models/rules/vendor-rules.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';

const models = new CalledModels(loadConfig({ OPENAI_API_KEY: 'k' }));
const USER: Message = { role: 'user', content: 'Say a word.' };
const TOOLS = [{ name: 'find', parameters: { type: 'object' } }];
const CLAUDE = 'anthropic/claude-sonnet-4-5';

function callOf(name: string, input: Partial<GenerationInput>) {
  const [provider = '', ...rest] = name.split('/');
  const whole: GenerationInput = { messages: [USER], maxOutputTokens: 4_000, capFrom: 'request', ...input };
  const call = models.find({ provider, model: rest.join('/') }, whole);
  if (call === null) throw new Error(`no provider ${provider}`);
  return call;
}
const paramOf = (name: string, input: Partial<GenerationInput>) =>
  findInputRefusal(callOf(name, input))?.details?.['param'] ?? null;
const messageOf = (name: string, input: Partial<GenerationInput>) =>
  findInputRefusal(callOf(name, input))?.message ?? '';
const sentTo = (name: string, input: Partial<GenerationInput>) => fitInput(callOf(name, input));
const thinking = (fields: object, betas?: string[]): Partial<GenerationInput> => ({
  native: { format: 'anthropic-messages', fields: { thinking: fields }, ...(betas ? { betas } : {}) },
});
const call = (id: string, name = 'find'): Message => ({
  role: 'assistant',
  content: [{ type: 'tool-call', id, name, arguments: '{}' }],
});
const result = (id: string): Message => ({
  role: 'user',
  content: [{ type: 'tool-result', id, content: 'found' }],
});
const dataUrl = (type: string, bytes: string) =>
  `data:${type};base64,${Buffer.from(bytes, 'latin1').toString('base64')}`;
const imageOf = (url: string): Message => ({ role: 'user', content: [{ type: 'image', url }] });

test('a picture of an earlier answer goes back to the vendor whose models change it, and to no other', () => {
  const picture = { ...imageOf(dataUrl('image/png', '\x89PNG\r\n\x1a\n')), role: 'assistant' as const };
  const messages = [USER, picture, USER];
  const own = sentTo('google/gemini-2.5-flash', { messages });
  expect([own.input.messages, own.dropped]).toEqual([messages, []]);
  for (const name of ['openai/gpt-5.1', CLAUDE, 'vllm/m']) {
    const other = sentTo(name, { messages });
    expect(other.dropped).toEqual(['pictures of earlier answers']);
    expect(other.input.messages[1]?.content).toEqual([{ type: 'text', text: '[A picture]' }]);
  }
});

// https://github.com/docker/docker-agent/issues/2251, https://github.com/lobehub/lobehub/pull/12604
test.each([CLAUDE, 'google/gemini-3-flash', 'openai/gpt-5.1'])('%s gets a tool once', (name) => {
  const [find] = TOOLS;
  const tools = [...TOOLS, { ...find, parameters: { type: 'object' } }] as typeof TOOLS;
  expect(paramOf(name, { tools })).toBeNull();
  expect(sentTo(name, { tools }).input.tools).toHaveLength(1);
  const other = [...TOOLS, { ...find, description: 'Finds.' }] as typeof TOOLS;
  expect(paramOf(name, { tools: other })).toBe(name.startsWith('openai') ? null : 'tools.find');
});

// https://github.com/ollama/ollama/issues/6753, https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/1120
test.each(['ollama/llava', 'lm-studio/gemma-3'])('%s loads no image from an address', (name) => {
  const messages = [imageOf('https://example.com/a.png')];
  expect(messageOf(name, { messages })).toContain('send it as a data URL');
  expect(paramOf(name, { messages: [imageOf(dataUrl('image/png', '\x89PNG\r\n\x1a\n'))] })).toBeNull();
  expect(paramOf('vllm/llava', { messages })).toBeNull();
});

describe('Claude', () => {
  const enabled = { type: 'enabled', budget_tokens: 2_000 };
  test.each<[string, string | null, Partial<GenerationInput>]>([
    ['a budget within the cap', null, thinking(enabled)],
    ['a budget below 1,024', 'thinking.budget_tokens', thinking({ type: 'enabled', budget_tokens: 1_023 })],
    ['no budget', 'thinking.budget_tokens', thinking({ type: 'enabled' })],
    ['a budget of the whole cap', 'thinking.budget_tokens', { ...thinking(enabled), maxOutputTokens: 2_000 }],
    [
      'the same with interleaved thinking',
      null,
      { ...thinking(enabled, ['interleaved-thinking-2025-05-14']), maxOutputTokens: 2_000 },
    ],
    ['thinking with a temperature', 'temperature', { ...thinking(enabled), temperature: 0.5 }],
    ['thinking with the temperature 1', null, { ...thinking(enabled), temperature: 1 }],
    ['thinking with top_k', 'topK', { ...thinking(enabled), topK: 5 }],
    ['thinking with a low top_p', 'topP', { ...thinking(enabled), topP: 0.9 }],
    ['thinking with a high top_p', null, { ...thinking(enabled), topP: 0.95 }],
    [
      'thinking with a forced tool',
      'thinking',
      { ...thinking(enabled), tools: TOOLS, toolChoice: 'required' },
    ],
    [
      'thinking with a free choice of tools',
      null,
      { ...thinking(enabled), tools: TOOLS, toolChoice: 'auto' },
    ],
    [
      'thinking with a prefill',
      'thinking',
      { ...thinking(enabled), messages: [USER, { role: 'assistant', content: 'A' }] },
    ],
    ['no thinking with a temperature', null, { ...thinking({ type: 'disabled' }), temperature: 0.5 }],
    ['a temperature above 1', 'temperature', { temperature: 1.5 }],
    ['an effort with a temperature', 'temperature', { reasoning: { effort: 'low' }, temperature: 0.5 }],
    ['a stop sequence of white space', 'stop', { stop: ['\n'] }],
    ['white space alone', 'input', { messages: [{ role: 'user', content: ' \n' }] }],
  ])('%s: %s', (_what, param, input) => {
    expect(paramOf(CLAUDE, input)).toBe(param);
  });

  test('of temperature and top_p, the newer ones take the first, and top_p is named as dropped', () => {
    const both = { temperature: 0.5, topP: 0.9 };
    expect(sentTo(CLAUDE, both)).toMatchObject({ input: { temperature: 0.5 }, dropped: ['top_p'] });
    expect(sentTo(CLAUDE, both).input.topP).toBeUndefined();
    expect(sentTo(CLAUDE, { ...both, topP: 1 }).dropped).toEqual([]);
    expect(sentTo('anthropic/claude-3-5-sonnet', both).input.topP).toBe(0.9);
  });

  test('an effort gives way to a forced tool, to a prefill and to a small cap, and is named as dropped', () => {
    const reasoning = { effort: 'high' } as const;
    for (const input of [
      { tools: TOOLS, toolChoice: { name: 'find' } },
      { messages: [USER, { role: 'assistant' as const, content: 'A' }] },
      { maxOutputTokens: 500 },
    ]) {
      const { input: fitted, dropped } = sentTo(CLAUDE, { reasoning, ...input });
      expect(dropped).toEqual(['reasoning']);
      expect(fitted.reasoning).toBeUndefined();
    }
    expect(sentTo(CLAUDE, { reasoning }).dropped).toEqual([]);
  });

  test('blocks of white space are left out, and a prefill does not end in it', () => {
    const text = (own: string) => ({ type: 'text' as const, text: own });
    const { input } = sentTo(CLAUDE, {
      messages: [
        { role: 'user', content: [text('A'), text('\n\n')] },
        { role: 'assistant', content: '  ' },
        { role: 'user', content: 'B ' },
        { role: 'assistant', content: 'It is \n' },
      ],
    });
    expect(input.messages).toEqual([
      { role: 'user', content: [text('A')] },
      { role: 'user', content: 'B ' },
      { role: 'assistant', content: 'It is' },
    ]);
  });

  test('a schema keeps its meaning, or is refused with the path of what would change it', () => {
    const schema = (meta: object) => ({
      output: { name: 'p', strict: false, schema: { type: 'object', properties: { meta } } },
    });
    expect(paramOf(CLAUDE, schema({ type: 'string', minLength: 3 }))).toBe(null);
    expect(messageOf(CLAUDE, schema({ type: 'object' }))).toContain('at properties.meta');
    expect(messageOf(CLAUDE, schema({ type: 'object', additionalProperties: { type: 'string' } }))).toContain(
      'at properties.meta',
    );
  });
});

describe('OpenAI', () => {
  const strict = (schema: Record<string, unknown>) => ({ output: { name: 'p', strict: true, schema } });
  const closed = { type: 'object', additionalProperties: false } as const;
  const a = { a: { type: 'string' } };
  test.each<[string, string | null, Record<string, unknown>]>([
    ['a closed object', null, { ...closed, properties: a, required: ['a'] }],
    ['an open object', 'output.schema', { type: 'object', properties: a, required: ['a'] }],
    ['an optional property', 'output.schema', { ...closed, properties: a }],
    ['a list at the root', 'output.schema', { type: 'array', items: { type: 'string' } }],
    [
      'an open object in a list',
      'output.schema.properties.b.items',
      { ...closed, properties: { b: { type: 'array', items: { type: 'object' } } }, required: ['b'] },
    ],
    [
      'an open object in a definition',
      'output.schema.$defs.d',
      {
        ...closed,
        properties: { b: { $ref: '#/$defs/d' } },
        required: ['b'],
        $defs: { d: { type: 'object' } },
      },
    ],
    [
      'a forbidden keyword',
      'output.schema.properties.b',
      { ...closed, properties: { b: { allOf: [] } }, required: ['b'] },
    ],
    [
      'a property without a type',
      'output.schema.properties.b',
      { ...closed, properties: { b: {} }, required: ['b'] },
    ],
  ])('strict mode, %s: %s', (_what, param, schema) => {
    expect(paramOf('openai/gpt-4o', strict(schema))).toBe(param);
    expect(paramOf('openai/gpt-4o', { output: { name: 'p', strict: false, schema } })).toBe(null);
    expect(sentTo('openai/gpt-4o', { output: { name: 'p', schema } }).input.output?.strict).toBe(
      param === null,
    );
  });

  test('a strict tool is checked too, by its name', () => {
    const tools = [{ name: 'find', strict: true, parameters: { type: 'object' } }];
    expect(messageOf('openai/gpt-4o', { tools })).toContain('tools.find.parameters');
  });

  test.each<[string, string | null, Partial<GenerationInput>]>([
    ['a temperature', 'temperature', { temperature: 0.5 }],
    ['the temperature that it has anyway', null, { temperature: 1, topP: 1 }],
    ['a penalty', 'presencePenalty', { presencePenalty: 0.5 }],
  ])('a reasoning model with %s: %s', (_what, param, input) => {
    expect(paramOf('openai/gpt-5.1', input)).toBe(param);
    expect(sentTo('openai/gpt-5.1', { temperature: 1, topP: 1 }).input).not.toHaveProperty('temperature');
  });

  test.each<[string, Partial<GenerationInput>]>([
    ['seed', { seed: 7 }],
    ['stop', { stop: ['END'] }],
    ['a penalty', { frequencyPenalty: 0.5 }],
    ['a field of chat completions', { native: { format: 'openai-chat', fields: { logit_bias: { 5: 1 } } } }],
    ['fewer than 16 tokens', { maxOutputTokens: 5 }],
  ])('what Responses lacks goes to the chat completions of the same server: %s', (_what, input) => {
    const sent = callOf('openai/gpt-4o', input);
    expect(sent.config).toMatchObject({ wire: 'openai-chat', apiKeyEnv: 'OPENAI_API_KEY' });
    expect(findInputRefusal(sent)).toBe(null);
  });

  test('what both have goes to Responses, and what neither has is refused', () => {
    expect(callOf('openai/gpt-4o', { temperature: 0.5 }).config.wire).toBe('openai-responses');
    expect(paramOf('openai/gpt-4o', { topK: 5 })).toBe('topK');
    expect(paramOf('openai/gpt-4o', { stop: ['a', 'b', 'c', 'd', 'e'] })).toBe('stop');
    const native = { format: 'openai-responses', fields: { context: 1 } } as const;
    expect(paramOf('openai/gpt-4o', { native, seed: 7 })).toBe('seed');
  });

  test('a server of Responses alone refuses what it lacks', () => {
    const config = loadConfig({});
    const other = { wire: 'openai-responses', baseUrl: 'http://127.0.0.1:9/v1' } as const;
    const own = new CalledModels({ ...config, providers: { ...config.providers, other } });
    const input: GenerationInput = { messages: [USER], maxOutputTokens: 5, seed: 7, capFrom: 'request' };
    const found = own.find({ provider: 'other', model: 'm' }, input);
    expect(found === null ? null : findInputRefusal(found)?.details).toEqual({ param: 'seed' });
  });
});

describe('results of tools', () => {
  test.each(['openai/gpt-4o', 'openai-chat/gpt-4o', CLAUDE, 'google/gemini-3-flash', 'cohere/command-a'])(
    '%s wants each one after its call',
    (model) => {
      expect(paramOf(model, { messages: [USER, call('c1'), result('c1')], tools: TOOLS })).toBe(null);
      expect(messageOf(model, { messages: [USER, result('c1')], tools: TOOLS })).toContain('"c1"');
      expect(messageOf(model, { messages: [USER, call('c1'), USER], tools: TOOLS })).toContain('"c1"');
      expect(messageOf(model, { messages: [USER, call('c1'), result('c2')], tools: TOOLS })).toContain(
        '"c2"',
      );
    },
  );

  test('a server of chat completions that is not OpenAI decides itself', () => {
    expect(paramOf('vllm/m', { messages: [USER, result('c1')] })).toBe(null);
  });

  test('a result behind other turns of the client moves in front of them', () => {
    const system: Message = { role: 'system', content: 'Now be brief.' };
    const { input } = sentTo(CLAUDE, {
      messages: [USER, call('c1'), system, USER, result('c1')],
      tools: TOOLS,
    });
    expect(input.messages).toEqual([USER, call('c1'), result('c1'), system, USER]);
    expect(paramOf(CLAUDE, { messages: [USER, call('c1'), USER, result('c1')], tools: TOOLS })).toBe(null);
  });
});

describe('names of tools', () => {
  test.each([
    [CLAUDE, 'fs.read', 128],
    [CLAUDE, 'n'.repeat(129), 128],
    ['openai/gpt-4o', 'fs.read', 64],
    ['openai/gpt-4o', 'n'.repeat(100), 64],
    ['vllm/m', 'mcp/files', 64],
    ['google/gemini-3-flash', '9lives', 64],
    ['cohere/command-a', 'a b'.replace(' ', '/'), 64],
  ])('%s calls %s by a name that it takes, which comes back as it was', (model, name, most) => {
    const tools = [{ name, parameters: { type: 'object' } }];
    const messages = [USER, call('c1', name), result('c1')];
    const { input, ownName } = sentTo(model, { tools, messages, toolChoice: { name } });
    const [sent] = input.tools ?? [];
    const sentName = sent !== undefined && 'name' in sent ? sent.name : '';
    expect(sentName).toMatch(/^[A-Za-z_][A-Za-z0-9_-]*$/);
    expect(sentName.length).toBeLessThanOrEqual(most);
    expect(ownName(sentName)).toBe(name);
    expect(input.toolChoice).toEqual({ name: sentName });
    expect(input.messages[1]).toEqual(call('c1', sentName));
    expect(sentTo(model, { tools }).input.tools).toEqual(input.tools);
  });

  test('a name that the vendor takes stays, and two that differ only in what it refuses stay two', () => {
    const named = (name: string) => ({ name, parameters: { type: 'object' } });
    expect(sentTo(CLAUDE, { tools: [named('n'.repeat(128))] }).isRenamed).toBe(false);
    const { input } = sentTo(CLAUDE, { tools: [named('a.b'), named('a/b'), named('a_b')] });
    expect(new Set((input.tools ?? []).map((tool) => 'name' in tool && tool.name)).size).toBe(3);
  });
});

describe('images and files', () => {
  const png = '\x89PNG\r\n\x1a\n0000';
  const gif = 'GIF89a0000';
  test('an image is sent as what its bytes are', () => {
    const { input } = sentTo(CLAUDE, { messages: [imageOf(dataUrl('image/jpeg', png))] });
    expect(input.messages).toEqual([imageOf(dataUrl('image/png', png))]);
    expect(sentTo(CLAUDE, { messages: [imageOf(dataUrl('image/jpg', 'unknown'))] }).input.messages).toEqual([
      imageOf(dataUrl('image/jpeg', 'unknown')),
    ]);
  });

  test.each<[string, string, string | null]>([
    [CLAUDE, dataUrl('image/png', png), null],
    [CLAUDE, dataUrl('image/jpeg', gif), null],
    [CLAUDE, dataUrl('image/bmp', 'BM0000'), 'input'],
    [CLAUDE, dataUrl('image/png', 'BM0000'), 'input'],
    [CLAUDE, dataUrl('image/svg+xml', '<svg/>'), 'input'],
    [CLAUDE, `data:image/png;base64,${'A'.repeat(10 * 1024 * 1024 + 4)}`, 'input'],
    ['openai/gpt-4o', dataUrl('image/tiff', 'II*\0'), 'input'],
    ['google/gemini-3-flash', dataUrl('image/gif', gif), 'input'],
    ['google/gemini-3-flash', dataUrl('image/heic', '0000ftypheic'), null],
    ['vllm/m', dataUrl('image/bmp', 'BM0000'), null],
  ])('%s: a type that the vendor does not read is refused', (model, url, param) => {
    expect(paramOf(model, { messages: [imageOf(url)] })).toBe(param);
  });

  test('a file of another type than PDF or text is refused by Claude', () => {
    const file = (type: string): Message => ({
      role: 'user',
      content: [{ type: 'file', url: dataUrl(type, '%PDF-') }],
    });
    expect(paramOf(CLAUDE, { messages: [file('application/pdf')] })).toBe(null);
    expect(paramOf(CLAUDE, { messages: [file('application/msword')] })).toBe('input');
  });
});

test('the setting of a provider turns the rules of its vendor off', () => {
  const config = loadConfig({});
  const lax = { wire: 'anthropic-messages', quirks: { vendorRules: false } } as const;
  const own = new CalledModels({ ...config, providers: { lax } });
  const input: GenerationInput = { messages: [USER, result('c1')], maxOutputTokens: 4_000 };
  const found = own.find({ provider: 'lax', model: 'm' }, input);
  expect(found).not.toBe(null);
  if (found === null) return;
  expect(findInputRefusal(found)).toBe(null);
  expect(fitInput(found).input).toBe(input);
});
