import { OPENAI_RESPONSES_RULES } from '../../../../tools/simulator/rules/openai-responses-rules.ts';
import { openAiBody } from '../../../../tools/simulator/rules/openai-words.ts';
import { encryptThought } from '../../../../tools/simulator/thought-signatures.ts';
import { ACCOUNT, type Body, REQUEST, testRules } from './rule-table.ts';

const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const OBJECT = { type: 'object', properties: { a: { type: 'string' } } };
const CLOSED = { ...OBJECT, required: ['a'], additionalProperties: false };
const tool = (more: Body = {}) => ({
  type: 'function',
  name: 'look',
  parameters: OBJECT,
  strict: false,
  ...more,
});
const call = (id: string, more: Body = {}) => ({
  type: 'function_call',
  call_id: id,
  name: 'look',
  arguments: '{}',
  ...more,
});
const result = (id: string) => ({ type: 'function_call_output', call_id: id, output: 'seen' });
const user = (...content: object[]) => ({ role: 'user', content });
const answer = { role: 'assistant', content: [{ type: 'output_text', text: 'a' }] };
const reasoning = (more: Body = {}) => ({
  type: 'reasoning',
  id: 'rs_1',
  summary: [],
  encrypted_content: encryptThought(ACCOUNT, 'Hm.'),
  ...more,
});
const say = (more: Body = {}): Body => ({ model: 'sim-large', input: 'Hello.', ...more });
const talk = (...items: object[]) => say({ input: [{ role: 'user', content: 'Hello.' }, ...items] });
const compacting = (...entries: object[]) => say({ context_management: entries });
const compaction = (encrypted: string) => ({ type: 'compaction', encrypted_content: encrypted });
const format = (own: object) => say({ text: { format: own } });

testRules({
  rules: OPENAI_RESPONSES_RULES,
  base: { ...REQUEST, path: '/v1/responses' },
  bodyOf: openAiBody,
  accepted: [
    ['plain text', say({ instructions: 'Be short.', stream: true, max_output_tokens: 16 })],
    ['parts of an answer without their ids', talk(answer, user({ type: 'input_text', text: 'b' }))],
    [
      'calls and results',
      {
        ...talk(call('a', { id: 'fc_1' }), call('b'), result('b'), result('a')),
        tools: [tool()],
        tool_choice: 'required',
      },
    ],
    ['its own reasoning before a call', talk(reasoning(), call('a'), result('a'))],
    [
      'a result of an earlier response',
      { ...talk(result('a')), previous_response_id: 'resp_1' },
      { hasResponse: () => true },
    ],
    ['automatic compaction', compacting({ type: 'compaction', compact_threshold: 1_000 })],
    ['its own compaction', talk(compaction(encryptThought(ACCOUNT, 'They agreed.')))],
    ['a strict schema', format({ type: 'json_schema', name: 'answer', schema: CLOSED, strict: true })],
    ['an image', talk(user({ type: 'input_image', image_url: PNG, detail: 'auto' }))],
  ],
  refused: {
    'text is well-formed Unicode': [['could not parse the JSON body', say({ input: 'a\ud83d' })]],
    'fields and their types': [
      ["Unknown parameter: 'max_tokens'.", say({ max_tokens: 5 })],
      [
        "Unknown parameter: 'input[1].reasoning_content'.",
        talk({ role: 'assistant', content: 'a', reasoning_content: 'b' }),
      ],
      ["Invalid type for 'max_output_tokens'", say({ max_output_tokens: '5' })],
      ["Invalid value: 'tool'. Supported values are: ", talk({ role: 'tool', content: 'a' })],
      ["'input[1].call_id'", talk({ type: 'function_call', name: 'look', arguments: '{}' })],
    ],
    'the cap of tokens': [
      [
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 5",
        say({ max_output_tokens: 5 }),
      ],
    ],
    compaction: [
      [
        "Invalid 'context_management[0].compact_threshold': integer below minimum value. Expected a value >= 1000",
        compacting({ type: 'compaction', compact_threshold: 999 }),
      ],
      ["Invalid value: 'summary'. Supported values are: 'compaction'.", compacting({ type: 'summary' })],
    ],
    'fields that exclude each other': [
      ['Mutually exclusive parameters', say({ previous_response_id: 'resp_1', conversation: 'conv_1' })],
      ["Previous response with id 'resp_1' not found.", say({ previous_response_id: 'resp_1' })],
      ['must be provided', { model: 'sim-large' }],
      ['Background mode requires store', say({ background: true, store: false })],
    ],
    sampling: [
      ["'temperature' is not supported with this model", say({ model: 'gpt-5.1', temperature: 0.5 })],
      ["Invalid 'top_logprobs': decimal above maximum value", say({ top_logprobs: 21 })],
    ],
    metadata: [["'metadata.a'", say({ metadata: { a: 5 } })]],
    tools: [
      ["Invalid 'tools[0].name': string does not match pattern", say({ tools: [tool({ name: 'fs.read' })] })],
      ["Invalid schema for function 'look': In context=()", say({ tools: [tool({ strict: true })] })],
      ["Invalid 'tools': array too long", say({ tools: Array.from({ length: 129 }, () => tool()) })],
      ["'required' must be specified with 'tools'", say({ tool_choice: 'required' })],
      [
        "Tool choice 'other' not found",
        say({ tools: [tool()], tool_choice: { type: 'function', name: 'other' } }),
      ],
    ],
    'the format of the answer': [
      ["must contain the word 'json'", format({ type: 'json_object' })],
      [
        "Invalid schema for response_format 'answer'",
        format({ type: 'json_schema', name: 'answer', schema: OBJECT, strict: true }),
      ],
      ["Invalid 'text.format.name'", format({ type: 'json_schema', name: 'my answer', schema: CLOSED })],
    ],
    items: [
      [
        "Invalid 'input[1].call_id': string too long. Expected a string with maximum length 64",
        talk(call('c'.repeat(65)), result('c'.repeat(65))),
      ],
      ["Expected an ID that begins with 'fc'", talk(call('a', { id: 'item_1' }), result('a'))],
      ["Invalid 'input[1].arguments'", talk(call('a', { arguments: '' }), result('a'))],
      [
        "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
        talk({ role: 'assistant', content: [{ type: 'input_text', text: 'a' }] }),
      ],
      [
        'unsupported image',
        talk(user({ type: 'input_image', image_url: 'data:image/bmp;base64,Qk0=', detail: 'auto' })),
      ],
    ],
    'tool calls and their results': [
      ['No tool call found for function call output with call_id a.', talk(result('a'))],
      ['No tool output found for function call a.', talk(call('a'))],
    ],
    'encrypted reasoning': [
      ['could not be verified', talk(reasoning({ encrypted_content: 'gAAA' }), call('a'), result('a'))],
      [
        'for item rs_1 could not be verified',
        talk(reasoning(), call('a'), result('a')),
        { apiKey: 'sk-another' },
      ],
      ['without its required following item', talk(reasoning())],
      ['could not be verified', talk(compaction('ubc1_x'))],
    ],
  },
});
