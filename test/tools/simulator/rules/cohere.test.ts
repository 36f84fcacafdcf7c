import { COHERE_RULES } from '../../../../tools/simulator/rules/cohere-rules.ts';
import { cohereWire } from '../../../../tools/simulator/wires/cohere-wire.ts';
import { type Body, REQUEST, testRules } from './rule-table.ts';

const OBJECT = { type: 'object', properties: {}, required: [] };
const tool = (more: Body = {}) => ({
  type: 'function',
  function: { name: 'look', parameters: OBJECT, ...more },
});
const call = (id: string, written = '{}') => ({
  id,
  type: 'function',
  function: { name: 'look', arguments: written },
});
const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'seen' });
const calls = (...own: object[]) => ({ role: 'assistant', tool_calls: own });
const say = (more: Body = {}): Body => ({
  model: 'command-a',
  messages: [{ role: 'user', content: 'Hello.' }],
  ...more,
});
const talk = (...messages: object[]) => say({ messages: [{ role: 'user', content: 'Hello.' }, ...messages] });

testRules({
  rules: COHERE_RULES,
  base: { ...REQUEST, path: '/v2/chat' },
  bodyOf: cohereWire.refusal,
  accepted: [
    ['plain text', say({ stream: true, p: 0.5, k: 3, max_tokens: 5 })],
    [
      'calls and results',
      { ...talk(calls(call('a'), call('b')), result('b'), result('a')), tools: [tool()] },
    ],
    ['a schema', say({ response_format: { type: 'json_object', json_schema: OBJECT } })],
  ],
  refused: {
    'text is well-formed Unicode': [
      ['not valid JSON', say({ messages: [{ role: 'user', content: '\ud83d' }] })],
    ],
    'fields and their types': [
      ["unknown field: parameter 'foo' is not a valid field. For proper usage", say({ foo: 1 })],
      ["unknown field: parameter 'strict' is not a valid field", say({ tools: [tool({ strict: true })] })],
      [
        "unknown field: parameter 'name' is not a valid field",
        talk(calls(call('a')), { ...result('a'), name: 'look' }),
      ],
      [
        "invalid type: parameter 'messages' is of type string but should be of type array",
        say({ messages: 'a' }),
      ],
      ["parameter 'model' is required", { messages: [] }],
      ["parameter 'tool_choice' must be one of REQUIRED, NONE", say({ tool_choice: 'auto' })],
    ],
    ranges: [
      ['p must be between 0.01 and 0.99 inclusive', say({ p: 1 })],
      ['frequency_penalty must be between 0 and 1', say({ frequency_penalty: -1 })],
      ['too many stop sequences', say({ stop_sequences: ['a', 'b', 'c', 'd', 'e', 'f'] })],
    ],
    messages: [
      ['at least one message', say({ messages: [] })],
      ['the last message must be from the user or a tool', talk({ role: 'assistant', content: 'a' })],
      [
        'must have content or tool_calls',
        talk({ role: 'assistant', content: '' }, { role: 'user', content: 'a' }),
      ],
      ['at least 1 token long', talk({ role: 'user', content: '' })],
      [
        'unsupported image format',
        talk({
          role: 'user',
          content: [{ type: 'image_url', image_url: { url: 'data:image/bmp;base64,Qk0=' } }],
        }),
      ],
    ],
    'tool calls and their results': [
      ['tool call id a not found', talk(result('a'))],
      ['tool calls without results: b', talk(calls(call('a'), call('b')), result('a'))],
      ['must be a valid JSON object', talk(calls(call('a', '{"a":')), result('a'))],
    ],
    tools: [
      ['tool_choice requires tools', say({ tool_choice: 'REQUIRED' })],
      [
        "'json_object' is not supported with tools",
        say({ tools: [tool()], response_format: { type: 'json_object' } }),
      ],
      ['tool names can only contain', say({ tools: [tool({ name: 'fs.read' })] })],
      [
        "must be of type 'object'",
        say({ response_format: { type: 'json_object', json_schema: { type: 'array' } } }),
      ],
    ],
  },
});
