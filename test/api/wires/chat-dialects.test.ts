/** Requests as clients of other servers of chat completions write them, and of Anthropic's: what reaches the model. */
import { describe, expect, test } from '@jest/globals';
import { settingsOf } from '../../../api/generations/compose-input.ts';
import { parseWith } from '../../../api/http/read-request.ts';
import { mapMessagesRequest, messagesSchema } from '../../../api/wires/anthropic-messages/request.ts';
import { chatCompletionSchema, mapChatRequest } from '../../../api/wires/openai-chat/request.ts';
import type { Message } from '../../../contracts/content.ts';
import { CalledModels } from '../../../engine/models/called-model.ts';
import { foreignFields } from '../../../engine/models/native-fields.ts';
import { findInputRefusal } from '../../../engine/models/refuse-input.ts';
import { fitInput } from '../../../engine/models/rules/vendor-rules.ts';
import { buildOpenAiChatRequest } from '../../../engine/providers/openai-chat/request.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { callOf } from '../../engine/providers/hear.ts';

const config = loadConfig({ OPENAI_API_KEY: 'k' });
const models = new CalledModels(config);
const MODEL = 'anthropic/claude-sonnet-4-5';
const USER = { role: 'user', content: 'Hi' };
const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } } };
const TOOL = { type: 'function', function: { name: 'look' } };

const mapped = (fields: object) =>
  mapChatRequest(config, chatCompletionSchema.parse({ model: MODEL, messages: [USER], ...fields })).request;

function calledWith(name: string, fields: object) {
  const [provider = '', model = ''] = name.split('/');
  const { input, model: _model, ...rest } = mapped(fields);
  const whole = { ...rest, messages: Array.isArray(input) ? input : [], maxOutputTokens: 4_000 };
  return models.find({ provider, model }, whole as never);
}

describe('a chat completion', () => {
  test.each<[string, object, object]>([
    [
      'json_object with a schema',
      { type: 'json_object', schema: SCHEMA },
      { name: 'answer', schema: SCHEMA, strict: false },
    ],
    [
      'json_schema without a name',
      { type: 'json_schema', json_schema: { schema: SCHEMA } },
      { name: 'answer', schema: SCHEMA, strict: false },
    ],
    [
      'json_schema beside its type',
      { type: 'json_schema', schema: SCHEMA },
      { name: 'answer', schema: SCHEMA, strict: false },
    ],
    ['json_object', { type: 'json_object', schema: null }, { name: 'answer' }],
  ])('has the format %s', (_name, format, output) => {
    const { output: own, native } = mapped({ response_format: format });
    expect([own, native]).toEqual([output, undefined]);
  });

  test('with json_schema and no schema at all is refused', () => {
    const body = { model: MODEL, messages: [USER], response_format: { type: 'json_schema' } };
    expect(chatCompletionSchema.safeParse(body).success).toBe(false);
  });

  test.each<[unknown, unknown]>([
    ['any', 'required'],
    [{ type: 'any' }, 'required'],
    [{ type: 'auto' }, 'auto'],
    [{ type: 'none' }, 'none'],
    [{ type: 'tool', name: 'look' }, { name: 'look' }],
    [{ type: 'function', function: { name: 'look' } }, { name: 'look' }],
    [{ type: 'function', name: 'look' }, { name: 'look' }],
  ])('has the tool choice %j', (choice, own) => {
    expect(mapped({ tools: [TOOL], tool_choice: choice }).toolChoice).toEqual(own);
  });

  // https://github.com/BerriAI/litellm/pull/34029
  test.each<[string, object]>([
    ['as it has them', { type: 'function', function: { name: 'look', parameters: SCHEMA, strict: true } }],
    ['as Responses have them', { type: 'function', name: 'look', parameters: SCHEMA, strict: true }],
    ['as Anthropic has them', { name: 'look', input_schema: SCHEMA, strict: true }],
  ])('has tools %s', (_name, tool) => {
    expect(mapped({ tools: [tool] }).tools).toEqual([{ name: 'look', parameters: SCHEMA, strict: true }]);
  });

  test.each([
    [{ type: 'custom', name: 'look' }, 'tools.0.type: Invalid input: only function tools are supported'],
    [{ type: 'function', function: {} }, 'tools.0.function.name: '],
  ])('refuses the tool %j by its field', (tool, words) => {
    const body = { model: MODEL, messages: [USER], tools: [tool] };
    expect(() => parseWith(chatCompletionSchema, body)).toThrow(words);
  });

  // https://github.com/ztxz16/fastllm/pull/597
  test('has parts as Responses have them', () => {
    const content = [
      { type: 'input_text', text: 'Look:' },
      { type: 'input_image', image_url: PNG },
    ];
    expect(mapped({ messages: [{ role: 'user', content }] }).input).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look:' },
          { type: 'image', url: PNG },
        ],
      },
    ]);
  });

  // https://github.com/BerriAI/litellm/pull/39977
  test.each([
    ['file', 'data:application/pdf;base64,JVBERi0='],
    ['file', 'data:application/octet-stream;base64,JVBERi0xLjcK'],
    ['image', 'data:application/octet-stream;base64,iVBORw0KGgo='],
  ])('has a %s that comes as a picture: %s', (type, url) => {
    const content = [{ type: 'image_url', image_url: { url } }];
    expect(mapped({ messages: [{ role: 'user', content }] }).input).toMatchObject([
      { role: 'user', content: [{ type, url }] },
    ]);
  });

  test.each(['required', { type: 'function', function: { name: 'look' } }])(
    'is refused if it demands a tool by %j and has none',
    (tool_choice) => {
      expect(() => mapped({ messages: [USER], tool_choice })).toThrow(/^tool_choice: /);
      expect(mapped({ messages: [USER], tool_choice: 'auto' }).toolChoice).toBeUndefined();
    },
  );

  // Anthropic, "Fine-grained tool streaming", "Handling invalid JSON in tool responses".
  test.each([
    ['{"town": "Li', '{"INVALID_JSON":"{\\"town\\": \\"Li"}'],
    ['[1]', '{"INVALID_JSON":"[1]"}'],
    [' null ', '{}'],
  ])('continues behind a call whose arguments are %s', (written, passedOn) => {
    const call = { id: 'a', type: 'function', function: { name: 'look', arguments: written } };
    const messages = [
      USER,
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'a', content: 'Write JSON.' },
    ];
    expect(mapped({ messages }).input?.[1]).toEqual({
      role: 'assistant',
      content: [{ type: 'tool-call', id: 'a', name: 'look', arguments: passedOn }],
    });
  });

  // https://github.com/langchain-ai/langchainjs/pull/11175
  test('has thoughts and calls that its client keeps among the texts of an answer, each once', () => {
    const content = [
      { type: 'reasoning', reasoning: 'It may rain.' },
      { type: 'thinking', thinking: [{ type: 'text', text: 'It will.' }] },
      { type: 'redacted_thinking', data: 'x' },
      { type: 'text', text: 'I look.' },
      { type: 'tool_use', id: 'a', name: 'look', input: {} },
    ];
    const calls = [{ id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } }];
    const messages = [
      USER,
      { role: 'assistant', content, tool_calls: calls },
      { role: 'tool', tool_call_id: 'a', content: 'rain' },
    ];
    const { input } = mapped({ messages });
    expect(input?.[1]).toEqual({
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'It may rain.' },
        { type: 'reasoning', text: 'It will.' },
        { type: 'text', text: 'I look.' },
        { type: 'tool-call', id: 'a', name: 'look', arguments: '{}' },
      ],
    });
    const sent = buildOpenAiChatRequest(callOf({ messages: input as Message[] }));
    expect(sent.messages[1]).toEqual({ role: 'assistant', content: 'I look.', tool_calls: calls });
  });

  test('has a part of an answer that only its server knows among the texts', () => {
    const content = [
      { type: 'text', text: 'So:' },
      { type: 'chart', id: 'c' },
    ];
    const { input } = mapped({ messages: [USER, { role: 'assistant', content }, USER] });
    const sent = buildOpenAiChatRequest(callOf({ messages: input as Message[] }));
    expect(sent.messages[1]).toEqual({ role: 'assistant', content });
  });

  test('has an image whose address stands alone', () => {
    const content = [{ type: 'image_url', image_url: PNG }];
    expect(mapped({ messages: [{ role: 'user', content }] }).input).toEqual([
      { role: 'user', content: [{ type: 'image', url: PNG }] },
    ]);
  });

  test('has pictures in the result of a tool, and results without content', () => {
    const call = (id: string) => ({
      id,
      type: 'function',
      index: 0,
      function: { name: 'look', arguments: '{}' },
    });
    const shot = [
      { type: 'text', text: 'here' },
      { type: 'image_url', image_url: { url: PNG } },
    ];
    const messages = [
      USER,
      { role: 'assistant', tool_calls: [call('a'), call('b')] },
      { role: 'tool', tool_call_id: 'a', content: shot },
      { role: 'tool', tool_call_id: 'b', content: null },
    ];
    expect(mapped({ messages }).input).toMatchObject([
      USER,
      {
        content: [
          { type: 'tool-call', id: 'a' },
          { type: 'tool-call', id: 'b' },
        ],
      },
      {
        content: [
          {
            id: 'a',
            content: [
              { type: 'text', text: 'here' },
              { type: 'image', url: PNG },
            ],
          },
          { id: 'b', content: '' },
        ],
      },
    ]);
    expect(JSON.stringify(mapped({ messages }).input)).not.toContain('index');
  });

  test('names a tool again beside its result, which OpenAI refuses', () => {
    const call = { id: 'a', type: 'function', function: { name: 'look', arguments: '{}' } };
    const messages = [
      USER,
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'a', name: 'look', content: 'here' },
    ];
    const { input } = mapped({ messages });
    const sent = buildOpenAiChatRequest(callOf({ messages: input as Message[] }));
    expect(sent.messages.at(-1)).toEqual({ role: 'tool', tool_call_id: 'a', content: 'here' });
  });
});

describe('functions, which tools have replaced', () => {
  const functions = [{ name: 'look', description: 'Looks.', parameters: SCHEMA }, { name: 'wait' }];
  const called = (name: string, written: string) => ({
    role: 'assistant',
    content: null,
    function_call: { name, arguments: written },
  });
  const result = (name: string, content: string | null) => ({ role: 'function', name, content });

  test('are tools', () => {
    const { tools, toolChoice, native } = mapped({ functions, function_call: { name: 'look' } });
    expect(tools).toEqual([
      functions[0],
      expect.objectContaining({ name: 'wait', parameters: expect.any(Object) }),
    ]);
    expect([toolChoice, native]).toEqual([{ name: 'look' }, undefined]);
    expect(mapped({ functions, function_call: 'none' }).toolChoice).toBe('none');
  });

  test('have calls and results, which get ids that stay', () => {
    const messages = [
      USER,
      called('look', '{"a":"b"}'),
      result('look', 'rain'),
      called('look', ''),
      result('look', null),
    ];
    const { input } = mapped({ functions, messages });
    const [first, second] = ['call_function_1', 'call_function_3'];
    expect(input).toEqual([
      USER,
      {
        role: 'assistant',
        content: [{ type: 'tool-call', id: first, name: 'look', arguments: '{"a":"b"}' }],
      },
      { role: 'user', content: [{ type: 'tool-result', id: first, content: 'rain' }] },
      { role: 'assistant', content: [{ type: 'tool-call', id: second, name: 'look', arguments: '{}' }] },
      { role: 'user', content: [{ type: 'tool-result', id: second, content: '' }] },
    ]);
    expect(mapped({ functions, messages: messages.slice(0, 3) }).input).toEqual(input?.slice(0, 3));
  });

  test.each<[string, object]>([
    ['messages.1.name', { messages: [USER, result('look', 'rain')] }],
    ['messages.2.name', { messages: [USER, called('wait', '{}'), result('look', 'rain')] }],
    ['functions', { functions, tools: [TOOL] }],
    ['function_call', { tools: [TOOL], function_call: 'auto' }],
  ])('are refused where they do not fit: %s', (param, fields) => {
    expect(() => mapped(fields)).toThrow(`${param}: `);
  });

  test('are absent where an SDK writes null', () => {
    const messages = [USER, { role: 'assistant', content: 'Hello.', function_call: null }];
    const { input, tools } = mapped({ messages, functions: null, function_call: null });
    expect([input?.[1], tools]).toEqual([{ role: 'assistant', content: 'Hello.' }, undefined]);
  });
});

describe('thinking in the words of another vendor', () => {
  test.each<[object, object | undefined]>([
    [{ reasoning: { effort: 'high' } }, { effort: 'high' }],
    [{ reasoning: { max_tokens: 2_000 } }, { effort: 'low' }],
    [{ reasoning: { enabled: true, exclude: true } }, { effort: 'medium' }],
    [{ reasoning: { enabled: false } }, { effort: 'none', thinks: false }],
    [{ thinking: { type: 'enabled', budget_tokens: 20_000 } }, { effort: 'high' }],
    [{ thinking: { type: 'disabled' } }, { effort: 'none', thinks: false }],
    [{ enable_thinking: false }, { effort: 'none', thinks: false }],
    [{ reasoning_effort: 'low', thinking: { type: 'enabled' } }, { effort: 'low' }],
    [{ reasoning: { exclude: true } }, undefined],
  ])('%j is an effort elsewhere', (fields, reasoning) => {
    for (const name of [MODEL, 'openai/gpt-5.1', 'google/gemini-2.5-flash']) {
      const called = calledWith(name, fields);
      expect(called?.input.reasoning).toEqual(reasoning);
      expect(called === null ? 'none' : findInputRefusal(called)).toBeNull();
    }
  });

  test.each<[string, string, object, object | undefined]>([
    ['a model that does not think', 'openai/gpt-4o', { thinking: { type: 'disabled' } }, undefined],
    ['one of which nothing is known', 'vllm/m', { thinking: { type: 'disabled' } }, undefined],
    [
      'one that thinks',
      'openai/gpt-5.1',
      { thinking: { type: 'disabled' } },
      { effort: 'none', thinks: false },
    ],
    [
      'an effort alone, and a model that has none',
      'openai/gpt-4o',
      { output_config: { effort: 'high' } },
      undefined,
    ],
  ])('%s: Anthropic’s format', (_name, name, fields, reasoning) => {
    const [provider = '', model = ''] = name.split('/');
    const body = messagesSchema.parse({ model: MODEL, max_tokens: 4_000, messages: [USER], ...fields });
    const { input, model: _model, ...rest } = mapMessagesRequest(config, body, []).request;
    const whole = { ...rest, messages: Array.isArray(input) ? input : [], maxOutputTokens: 4_000 };
    const called = models.find({ provider, model }, whole as never);
    if (called === null) throw new Error(name);
    expect(findInputRefusal(called)).toBeNull();
    expect(fitInput(called).input.reasoning).toEqual(reasoning);
  });
});

test.each([-1, 0])('top_k: %j, by which clients turn it off, is not set', (top_k) => {
  expect(mapped({ top_k })).not.toHaveProperty('topK');
  expect(mapped({ top_k: 5 }).topK).toBe(5);
  const fields = { model: MODEL, max_tokens: 4_000, messages: [USER], top_k };
  const messages = mapMessagesRequest(config, messagesSchema.parse(fields), []);
  expect(messages.request).not.toHaveProperty('topK');
  expect(settingsOf({ input: 'Hi', topK: 0 })).not.toHaveProperty('topK');
});

test('fields that are set to nothing say nothing', () => {
  const { input: _input, model: _model, ...rest } = mapped({ logit_bias: {}, mcp_servers: [], provider: {} });
  const refused = foreignFields(
    { ...rest, messages: [] } as never,
    'anthropic-messages',
    'anthropic',
  ).refused;
  expect(refused).toEqual([]);
  const off = mapped({ min_p: 0, top_a: 0, repetition_penalty: 1, length_penalty: 1.0 }).native;
  const judged = foreignFields({ native: off, messages: [] } as never, 'google', 'google');
  expect(judged).toEqual({ refused: [], dropped: [] });
  const on = mapped({ min_p: 0.1, repetition_penalty: 0 }).native;
  expect(foreignFields({ native: on, messages: [] } as never, 'google', 'google').refused).toHaveLength(2);
  const { native } = mapped({ logit_bias: { 1: 2 } });
  const set = foreignFields({ native, messages: [] } as never, 'anthropic-messages', 'anthropic').refused;
  expect(set).toEqual(['logit_bias']);
});

test('choices of a long request are refused where their copies would have too many bytes together', () => {
  const messages = [{ role: 'user', content: 'x'.repeat(1_000_000) }];
  expect(mapChatRequest(config, chatCompletionSchema.parse({ model: MODEL, messages, n: 64 })).choices).toBe(
    64,
  );
  expect(() => mapped({ messages, n: 128 })).toThrow(/^n: 128 choices of these messages have \d+ bytes/);
});
