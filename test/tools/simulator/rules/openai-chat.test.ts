import { parseJson } from '../../../../contracts/json.ts';
import { OPENAI_CHAT_RULES } from '../../../../tools/simulator/rules/openai-chat-rules.ts';
import { openAiBody } from '../../../../tools/simulator/rules/openai-words.ts';
import { type Body, REQUEST, testRules } from './rule-table.ts';

const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const OBJECT = { type: 'object', properties: { a: { type: 'string' } } };
const CLOSED = { ...OBJECT, required: ['a'], additionalProperties: false };
const tool = (more: Body = {}) => ({
  type: 'function',
  function: { name: 'look', parameters: OBJECT, ...more },
});
const call = (id: string, written = '{"a":"b"}', name = 'look') => ({
  id,
  type: 'function',
  function: { name, arguments: written },
});
const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'seen' });
const calls = (...own: object[]) => ({ role: 'assistant', tool_calls: own });
const say = (more: Body = {}): Body => ({
  model: 'gpt-4.1',
  messages: [{ role: 'user', content: 'Hello.' }],
  ...more,
});
const talk = (...messages: object[]) => say({ messages: [{ role: 'user', content: 'Hello.' }, ...messages] });
const of = (model: string, ...messages: object[]) => ({ ...talk(...messages), model });
const image = (url: string) => talk({ role: 'user', content: [{ type: 'image_url', image_url: { url } }] });
const schema = (own: object, more: object = {}) =>
  say({ response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: own, ...more } } });

testRules({
  rules: OPENAI_CHAT_RULES,
  base: { ...REQUEST, path: '/v1/chat/completions' },
  bodyOf: openAiBody,
  accepted: [
    ['the longest seed', say({ seed: parseJson('9223372036854775807'), n: 128, logprobs: true })],
    ['plain text', say({ stream: true, stream_options: { include_usage: true }, max_completion_tokens: 1 })],
    [
      'calls and results',
      {
        ...talk(calls(call('a'), call('b')), result('b'), result('a')),
        tools: [tool()],
        tool_choice: 'auto',
      },
    ],
    [
      'a model of another vendor',
      say({
        model: 'deepseek-chat',
        top_k: 3,
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: 'b', reasoning_content: 'c' },
        ],
      }),
    ],
    ['a strict schema', schema(CLOSED, { strict: true })],
    ['an open schema, not strict', schema(OBJECT)],
    [
      'a JSON object that is asked for',
      { ...talk({ role: 'system', content: 'Answer in JSON.' }), response_format: { type: 'json_object' } },
    ],
    ['an image', image(PNG)],
    ['a function without parameters', say({ tools: [{ type: 'function', function: { name: 'now' } }] })],
  ],
  refused: {
    'text is well-formed Unicode': [
      ['could not parse the JSON body', talk({ role: 'user', content: '\udc00' })],
    ],
    'fields and their types': [
      ['Unrecognized request argument supplied: foo', say({ foo: 1 })],
      ['Unrecognized request argument supplied: top_k', say({ top_k: 3 })],
      [
        "Unknown parameter: 'messages[1].reasoning_content'.",
        talk({ role: 'assistant', content: 'b', reasoning_content: 'c' }),
      ],
      ["Missing required parameter: 'messages'.", { model: 'gpt-4.1' }],
      ["Invalid type for 'messages[1].content'", talk({ role: 'user', content: 5 })],
      ["Invalid value: 'robot'. Supported values are:", talk({ role: 'robot', content: 'a' })],
      ["Invalid value: 'input_text'", talk({ role: 'user', content: [{ type: 'input_text', text: 'a' }] })],
    ],
    'the cap of tokens': [
      ["Use 'max_completion_tokens' instead", say({ model: 'gpt-5.1', max_tokens: 5 })],
      ['at the same time is not supported', say({ max_tokens: 5, max_completion_tokens: 5 })],
      ["Invalid 'max_tokens': integer below minimum value", say({ max_tokens: 0 })],
    ],
    'fields that need another': [
      ["'stream_options' parameter is only allowed", say({ stream_options: { include_usage: true } })],
      ["'tool_choice' is only allowed when 'tools' are specified", say({ tool_choice: 'auto' })],
      ["'parallel_tool_calls' is only allowed", say({ parallel_tool_calls: false })],
      ["'logprobs' must be set to true", say({ top_logprobs: 2 })],
      [
        "use /v1/responses or set reasoning_effort to 'none'",
        say({ model: 'gpt-5.6-sol', tools: [tool()], reasoning_effort: 'high' }),
      ],
      [
        "Tool choice 'other' not found",
        say({ tools: [tool()], tool_choice: { type: 'function', function: { name: 'other' } } }),
      ],
    ],
    'lengths of lists': [
      ["Invalid 'messages': empty array", say({ messages: [] })],
      [
        "Invalid 'tools': array too long. Expected an array with maximum length 128",
        say({ tools: Array.from({ length: 129 }, () => tool()) }),
      ],
      ["Invalid 'stop': array too long", say({ stop: ['a', 'b', 'c', 'd', 'e'] })],
    ],
    'whole numbers': [
      [
        'Expected a signed 64-bit integer, but got 9223372036854775808',
        say({ seed: parseJson('9223372036854775808') }),
      ],
      ["Invalid 'n': integer above maximum value. Expected a value <= 128, but got 129", say({ n: 129 })],
    ],
    sampling: [
      ['logprobs are not supported with reasoning models', say({ model: 'o3', logprobs: true })],
      [
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5",
        say({ temperature: 2.5 }),
      ],
      ["'temperature' is not supported with this model", say({ model: 'o3', temperature: 0.5 })],
    ],
    metadata: [
      [
        'at most 16 properties',
        say({ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, key) => [`k${key}`, 'v'])) }),
      ],
    ],
    tools: [
      [
        "Invalid 'tools[0].function.name': string does not match pattern",
        say({ tools: [tool({ name: 'fs.read' })] }),
      ],
      ["Invalid 'tools[0].function.name': string too long", say({ tools: [tool({ name: 'n'.repeat(65) })] })],
      [
        "Invalid schema for function 'look': In context=(), 'additionalProperties' is required",
        say({ tools: [tool({ strict: true })] }),
      ],
      ["Missing 'a'", say({ tools: [tool({ strict: true, parameters: { ...CLOSED, required: [] } })] })],
      ['got \'type: "string"\'', say({ tools: [tool({ parameters: { type: 'string' } })] })],
      ['object schema missing properties', say({ tools: [tool({ parameters: { type: 'object' } })] })],
      ['at the top level', say({ tools: [tool({ parameters: { ...OBJECT, anyOf: [] } })] })],
      [
        "In context=('properties', 'a'), array schema missing items",
        say({ tools: [tool({ parameters: { type: 'object', properties: { a: { type: 'array' } } } })] }),
      ],
    ],
    roles: [['unknown variant `developer`', of('deepseek-v4', { role: 'developer', content: 'a' })]],
    'fields of messages': [
      [
        "property 'reasoning_content' is unsupported",
        of('openai/gpt-oss-120b', { role: 'assistant', content: 'a', reasoning_content: 'b' }),
      ],
    ],
    'the order of messages': [
      [
        "Unexpected role 'user' after role 'tool'",
        of('mistral-large-latest', calls(call('a')), result('a'), { role: 'user', content: 'b' }),
      ],
      ['must be at the beginning', of('qwen3.6-27b', { role: 'system', content: 'a' })],
      ['should alternate', of('sonar', { role: 'user', content: 'a' })],
    ],
    'switches that a model lacks': [
      [
        "'parallel_tool_calls' is not supported",
        say({ model: 'o4-mini', tools: [tool()], parallel_tool_calls: false }),
      ],
      ['does not support parameter reasoningEffort', say({ model: 'grok-4-0709', reasoning_effort: 'low' })],
    ],
    'choices of tools while the model thinks': [
      [
        'Thinking mode does not support this tool_choice',
        say({ model: 'deepseek-v4-pro', tools: [tool()], tool_choice: 'required' }),
      ],
      [
        'incompatible with thinking enabled',
        say({ model: 'kimi-k2.6', tools: [tool()], tool_choice: 'required', thinking: { type: 'enabled' } }),
      ],
    ],
    'the format of the answer': [
      ["must contain the word 'json'", say({ response_format: { type: 'json_object' } })],
      ["Invalid schema for response_format 'answer'", schema(OBJECT, { strict: true })],
      [
        "In context=('properties', 'a'), 'oneOf' is not permitted",
        schema({ ...CLOSED, properties: { a: { oneOf: [] } } }, { strict: true }),
      ],
      ["Invalid 'response_format.json_schema.name'", schema(CLOSED, { name: 'my answer' })],
    ],
    'tool calls': [
      [
        "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40",
        talk(calls(call('c'.repeat(41))), result('c'.repeat(41))),
      ],
      [
        "Invalid 'messages[1].tool_calls[0].function.arguments'",
        talk(calls(call('a', '{"a":')), result('a')),
      ],
      ["Invalid 'messages[1].tool_calls[0].function.arguments'", talk(calls(call('a', '')), result('a'))],
      [
        "Invalid 'messages[1].tool_calls[0].function.name'",
        talk(calls(call('a', '{}', 'fs.read')), result('a')),
      ],
    ],
    'tool calls and their results': [
      ["must be a response to a preceeding message with 'tool_calls'", talk(result('a'))],
      [
        'did not have response messages: b',
        talk(calls(call('a'), call('b')), result('a'), { role: 'user', content: 'c' }),
      ],
      ['did not have response messages: a', talk(calls(call('a')))],
    ],
    content: [
      [
        "Invalid value for 'content': expected a string, got null.",
        talk({ role: 'assistant', content: null }),
      ],
      ["Invalid 'messages[1].content': empty array", talk({ role: 'user', content: [] })],
      ['Expected a valid URL', image('a.png')],
      ['unsupported image', image('data:image/bmp;base64,Qk0=')],
      ['invalid base64-encoded value', image('data:image/png;base64,!!!')],
    ],
  },
});
