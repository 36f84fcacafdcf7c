/** What leaves for each vendor: the bodies in `fixtures/<wire>/` were checked against the vendors' API references. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GenerationInput } from '../../../contracts/generation.ts';
import type { ProviderCall } from '../../../engine/providers/provider.ts';
import type { ProviderConfig, WireFamily } from '../../../platform/config/schema.ts';
import { adapterFor, KEY, simulatedConfig } from './adapter-for.ts';
import { type FixtureServer, readFixture, startFixtureServer } from './fixture-server.ts';
import { callOf, errorOf, hear } from './hear.ts';

let server: FixtureServer;
beforeAll(async () => {
  server = await startFixtureServer();
});
afterAll(() => server.stop());

const INPUT: GenerationInput = {
  system: 'Be brief.',
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image', url: 'data:image/png;base64,iVBORw0KGgo=' },
        { type: 'image', url: 'https://example.com/harbour.webp' },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'I look it up.' },
        { type: 'tool-call', id: 'call_1', name: 'find', arguments: '{"what":"boat"}' },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'And be quick.' },
        { type: 'tool-result', id: 'call_1', content: 'no such thing', isError: true },
      ],
    },
  ],
  tools: [
    {
      name: 'find',
      description: 'Finds things.',
      parameters: { type: 'object', properties: { what: { type: 'string' } }, required: ['what'] },
    },
  ],
  toolChoice: { name: 'find' },
  output: {
    name: 'answer',
    schema: {
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
      additionalProperties: false,
    },
  },
  maxOutputTokens: 500,
};

/** This vendor takes tools or a format of the answer. */
const { output: _output, ...WITHOUT_OUTPUT } = INPUT;

async function sent(
  wire: WireFamily,
  input: Partial<GenerationInput>,
  extra: Partial<ProviderCall> = {},
  config: Partial<ProviderConfig> = {},
) {
  server.requests.length = 0;
  server.play(readFixture(wire === 'azure-openai' ? 'openai-chat' : wire, 'plain'));
  const provider = adapterFor(wire, { ...simulatedConfig(wire, server.url), ...config });
  const heard = await hear(provider, callOf(input, { model: 'model-1', ...extra }));
  return {
    heard,
    request: server.requests[0] as { path: string; headers: Record<string, string>; body: unknown },
  };
}

const golden = (wire: string, name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures', 'requests', `${wire}-${name}.json`), 'utf8'));

/** Everything at once, as far as a wire has it; what it has not is left out. */
const FULL: readonly (readonly [WireFamily, string, Partial<GenerationInput>, Partial<ProviderCall>])[] = [
  ['openai-responses', 'full', { ...INPUT, temperature: 0.5, topP: 0.9 }, {}],
  ['openai-responses', 'reasoning', { ...INPUT, reasoning: { effort: 'low' } }, {}],
  ['openai-chat', 'full', { ...INPUT, temperature: 0.5, topP: 0.9, stop: ['END'] }, {}],
  ['openai-chat', 'reasoning', { reasoning: { effort: 'high' }, messages: INPUT.messages.slice(0, 1) }, {}],
  ['anthropic-messages', 'full', { ...INPUT, temperature: 0.5, topP: 0.9, stop: ['END'] }, {}],
  [
    'anthropic-messages',
    'thinking-by-budget',
    { messages: INPUT.messages.slice(0, 1), reasoning: { effort: 'medium' } },
    { model: 'claude-sonnet-4-5', maxOutputTokens: 16_000 },
  ],
  [
    'anthropic-messages',
    'thinking-by-itself',
    { messages: INPUT.messages.slice(0, 1), reasoning: { effort: 'medium' } },
    { model: 'claude-opus-4-8' },
  ],
  ['google', 'full', { ...INPUT, temperature: 0.5, topP: 0.9, stop: ['END'] }, { model: 'gemini-3-flash' }],
  [
    'google',
    'thinking',
    { reasoning: { effort: 'low' }, messages: INPUT.messages.slice(0, 1) },
    { model: 'gemini-2.5-pro' },
  ],
  [
    'cohere',
    'full',
    { ...WITHOUT_OUTPUT, temperature: 0.5, topP: 0.9, stop: ['END'], reasoning: { effort: 'low' } },
    {},
  ],
];

describe('a request', () => {
  test.each(FULL)('%s %s is as the API reference has it', async (wire, name, input, extra) => {
    const { heard, request } = await sent(wire, input, extra);
    expect(heard.error).toBeUndefined();
    expect({ path: request.path, body: request.body }).toEqual(golden(wire, name));
  });

  test('Responses takes no cap below 16 tokens', async () => {
    const { request } = await sent('openai-responses', {}, { maxOutputTokens: 1 });
    expect(request.body).toMatchObject({ max_output_tokens: 16 });
  });

  test('Anthropic is asked for the version that takes a temperature only where one is given', async () => {
    const messages = INPUT.messages.slice(0, 1);
    const withOne = await sent('anthropic-messages', { messages, temperature: 0 });
    expect(withOne.request.headers['anthropic-version']).toBe('2023-06-01');
    const without = await sent('anthropic-messages', { messages });
    expect(without.request.headers['anthropic-version']).not.toBe('2023-06-01');
  });

  test.each<[string, NonNullable<ProviderConfig['quirks']>, object]>([
    ['max_completion_tokens', { maxTokensField: 'max_completion_tokens' }, { max_completion_tokens: 500 }],
    ['no stream_options', { streamOptions: false }, { stream_options: undefined }],
    ['no effort', { reasoningEffort: 'none' }, { reasoning_effort: undefined }],
    ['reasoning as an object', { reasoningEffort: 'reasoning-object' }, { reasoning: { effort: 'low' } }],
  ])('a vendor with the quirk %s gets it', async (_name, quirks, expected) => {
    const input = {
      messages: INPUT.messages.slice(0, 1),
      maxOutputTokens: 500,
      reasoning: { effort: 'low' as const },
    };
    const { request } = await sent('openai-chat', input, {}, { quirks });
    for (const [field, value] of Object.entries(expected)) {
      expect((request.body as Record<string, unknown>)[field]).toEqual(value);
    }
  });

  test('ids of tool calls fit a vendor that takes nine letters, call and result alike', async () => {
    const { request } = await sent(
      'openai-chat',
      INPUT,
      {},
      { quirks: { toolCallIds: 'nine-alphanumeric' } },
    );
    const ids = [...JSON.stringify(request.body).matchAll(/"(?:id|tool_call_id)":"([^"]+)"/g)].map(
      ([, id]) => id,
    );
    expect(ids).toHaveLength(2);
    expect(ids[0]).toMatch(/^[a-zA-Z0-9]{9}$/);
    expect(ids[1]).toBe(ids[0]);
  });

  test('thoughts that nothing came of do not go back to Responses, which refuses them alone', async () => {
    const thoughts = {
      type: 'native' as const,
      format: 'openai-responses' as const,
      value: { type: 'reasoning', summary: [], encrypted_content: 'x' },
      isReasoning: true as const,
    };
    const messages: GenerationInput['messages'] = [
      { role: 'user', content: 'One' },
      { role: 'assistant', content: [thoughts] },
      { role: 'user', content: 'Two' },
      { role: 'assistant', content: [thoughts, thoughts, { type: 'text', text: 'Answer.' }] },
      { role: 'user', content: 'Three' },
    ];
    const { request } = await sent('openai-responses', { messages });
    const { input } = request.body as { input: { type?: string; role?: string }[] };
    const kinds = input.map(({ type, role }) => role ?? type);
    expect(kinds).toEqual(['user', 'user', 'reasoning', 'reasoning', 'assistant', 'user']);
  });

  test.each([
    ['Not there', 'Error: Not there'],
    ['Error: not there', 'Error: not there'],
    ['', 'Error'],
  ])('a failed tool that says "%s" is not taken for a result', async (content, expected) => {
    const failed = (isError: boolean): GenerationInput['messages'] => [
      ...INPUT.messages.slice(0, 2),
      { role: 'user', content: [{ type: 'tool-result', id: 'call_1', content, isError }] },
    ];
    for (const wire of ['openai-chat', 'openai-responses', 'cohere'] as const) {
      const config = { capabilities: { vision: true } };
      const { request } = await sent(wire, { ...WITHOUT_OUTPUT, messages: failed(true) }, {}, config);
      expect(JSON.stringify(request.body)).toContain(JSON.stringify(expected));
    }
    const { request } = await sent('openai-chat', { ...INPUT, messages: failed(false) });
    expect(JSON.stringify(request.body)).toContain(JSON.stringify(content));
  });

  test('what a chat client says aloud is heard by Gemini, and by no other format', async () => {
    const audio = { type: 'input_audio', input_audio: { data: 'UklG\nRg', format: 'WAV' } };
    const messages: GenerationInput['messages'] = [
      { role: 'user', content: [{ type: 'native', format: 'openai-chat', value: audio }] },
    ];
    const { request } = await sent('google', { messages }, { model: 'gemini-3-flash' });
    expect(request.body).toMatchObject({
      contents: [{ parts: [{ inlineData: { mimeType: 'audio/wav', data: 'UklGRg==' } }] }],
    });
    const refused = await sent('anthropic-messages', { messages });
    expect(errorOf(refused.heard)?.code).toBe('unsupported_by_model');
  });

  test('the texts of a client are apart, and those of an answer are not', async () => {
    const two = [
      { type: 'text' as const, text: 'One.' },
      { type: 'text' as const, text: 'Two.' },
    ];
    const messages: GenerationInput['messages'] = [
      { role: 'system', content: two },
      { role: 'user', content: two },
      { role: 'assistant', content: two },
      { role: 'user', content: [{ type: 'text', text: 'One.\n' }, two[1] as never] },
    ];
    const { request } = await sent('openai-chat', { messages });
    expect(
      (request.body as { messages: { content: string }[] }).messages.map(({ content }) => content),
    ).toEqual(['One.\n\nTwo.', 'One.\nTwo.', 'One.Two.', 'One.\nTwo.']);
    const responses = await sent('openai-responses', { messages: messages.slice(1, 2) });
    expect(responses.request.body).toMatchObject({
      input: [{ content: [{ text: 'One.' }, { text: 'Two.' }] }],
    });
  });

  test('Azure gets the deployment in the path and its key under its own name', async () => {
    const messages = INPUT.messages.slice(0, 1);
    const { request } = await sent('azure-openai', { messages }, { model: 'my-deployment' });
    expect(request.path).toBe('/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21');
    expect(request.headers['api-key']).toBe(KEY);
  });

  test('a response that must not be stored is not stored, and has no cursor', async () => {
    const { heard, request } = await sent(
      'openai-responses',
      { messages: INPUT.messages.slice(0, 1) },
      {},
      {
        capabilities: { reattach: false },
      },
    );
    expect(request.body).toMatchObject({ store: false });
    expect(request.body).not.toHaveProperty('background');
    expect(heard.cursor).toBeUndefined();
  });

  test.each(['openai-chat', 'anthropic-messages', 'google', 'cohere'] as const)(
    '%s: a continuation asks for no thoughts, and gives the text so far',
    async (wire) => {
      const input = { messages: INPUT.messages.slice(0, 1), reasoning: { effort: 'low' as const } };
      const { request } = await sent(wire, input, {
        resume: { strategy: 'instruct', deliveredText: 'Half an ans' },
      });
      const body = JSON.stringify(request.body);
      expect(body).toContain('Half an ans');
      expect(body).toContain('Continue it exactly where it ends');
      expect(body).not.toMatch(/"includeThoughts":true|"type":"adaptive"|"budget_tokens"/);
    },
  );
});

describe('what a model cannot do is refused before anything leaves', () => {
  const user = (content: GenerationInput['messages'][number]['content']) => [
    { role: 'user' as const, content },
  ];
  const image = [{ type: 'image' as const, url: 'https://example.com/a.png' }];

  test.each<[WireFamily, string, Partial<GenerationInput>, string]>([
    ['openai-responses', 'o3-mini', { messages: user(image) }, 'images'],
    ['openai-responses', 'gpt-5', { temperature: 0.2, topP: 0.5 }, 'temperature, topP (top_p)'],
    ['openai-responses', 'gpt-4o-mini', { stop: ['END'] }, 'stop (stop_sequences)'],
    ['openai-responses', 'gpt-4o-mini', { reasoning: { effort: 'low' } }, 'reasoning'],
    ['anthropic-messages', 'claude-opus-4-8', { temperature: 0.2 }, 'temperature'],
    [
      'anthropic-messages',
      'claude-3-haiku-20240307',
      { output: { name: 'a', schema: {} } },
      'output (a JSON schema)',
    ],
    ['cohere', 'command-r-plus', { messages: user(image) }, 'images'],
    ['cohere', 'command-a-vision', { tools: [{ name: 'find', parameters: {} }] }, 'tools'],
  ])('%s %s', async (wire, model, input, missing) => {
    const { heard } = await sent(wire, input, { model });
    expect(errorOf(heard)).toMatchObject({
      code: 'unsupported_by_model',
      message: `${wire}/${model} does not take ${missing}.`,
    });
    expect(server.requests).toEqual([]);
  });

  test('the config has the last word', async () => {
    const config = { capabilities: { vision: true } };
    const { heard } = await sent('cohere', { messages: user(image) }, { model: 'command-r-plus' }, config);
    expect(heard.error).toBeUndefined();
  });

  test('more output than the model gives is asked for as much as it gives', async () => {
    const { request } = await sent(
      'openai-chat',
      {},
      { model: 'gpt-4o-mini', maxOutputTokens: 900_000 },
      { knownAs: 'openai' },
    );
    expect(request.body).toMatchObject({ max_tokens: 16_384 });
  });
});
