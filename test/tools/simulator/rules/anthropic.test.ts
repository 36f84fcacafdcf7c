import { ANTHROPIC_RULES } from '../../../../tools/simulator/rules/anthropic-rules.ts';
import { encryptThought, signThought } from '../../../../tools/simulator/thought-signatures.ts';
import { anthropicWire } from '../../../../tools/simulator/wires/anthropic-wire.ts';
import { ACCOUNT, type Body, REQUEST, testRules } from './rule-table.ts';

const PNG = 'iVBORw0KGgo=';
const OBJECT = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
const CLOSED = { ...OBJECT, additionalProperties: false };
const TOOL = { name: 'look', input_schema: OBJECT };
const MARK = { cache_control: { type: 'ephemeral' } };
const HEADERS = { 'anthropic-version': '2026-10-21' };
const SAMPLING = { headers: { 'anthropic-version': '2023-06-01' } };

const user = (...content: object[]) => ({ role: 'user', content });
const assistant = (...content: object[]) => ({ role: 'assistant', content });
const text = (own: string, more: object = {}) => ({ type: 'text', text: own, ...more });
const use = (id: string, input: unknown = {}) => ({ type: 'tool_use', id, name: 'look', input });
const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'seen' });
const thought = (own: string, signature = signThought(ACCOUNT, own)) => ({
  type: 'thinking',
  thinking: own,
  signature,
});
const image = (media_type: string, data: string) => ({
  type: 'image',
  source: { type: 'base64', media_type, data },
});
const say = (more: Body = {}): Body => ({
  model: 'sim-large',
  max_tokens: 2_000,
  messages: [{ role: 'user', content: 'Hello.' }],
  ...more,
});
const talk = (...messages: object[]) => say({ messages: [user(text('Hello.')), ...messages] });
const BUDGET = { thinking: { type: 'enabled', budget_tokens: 1_024 } };
const schema = (own: object) => say({ output_config: { format: { type: 'json_schema', schema: own } } });

testRules({
  rules: ANTHROPIC_RULES,
  base: { ...REQUEST, headers: HEADERS, path: '/v1/messages' },
  bodyOf: anthropicWire.refusal,
  accepted: [
    ['plain text', say({ system: 'Be short.', stream: true })],
    [
      'a system turn in the middle',
      talk(assistant(text('Yes?')), { role: 'system', content: 'Be kind.' }, user(text('x'))),
    ],
    ['sampling, in its version', say({ temperature: 0.5, top_k: 3 }), SAMPLING],
    ['a family of tools, which has no name', say({ tools: [{ type: 'computer_toolset_20260801' }] })],
    [
      'two turns with tools',
      {
        ...talk(
          assistant(text('a'), use('toolu_1'), use('toolu_2')),
          user(result('toolu_2'), result('toolu_1'), text('b')),
        ),
        tools: [TOOL],
        tool_choice: { type: 'auto' },
      },
    ],
    [
      'results in two neighbouring turns',
      talk(assistant(use('a'), use('b')), user(result('a')), user(result('b'))),
    ],
    [
      'own thoughts before a tool use',
      { ...talk(assistant(thought('Hm.'), use('a')), user(result('a'))), ...BUDGET },
    ],
    [
      'redacted thoughts',
      talk(
        assistant({ type: 'redacted_thinking', data: encryptThought(ACCOUNT, 'Hm.') }, text('a')),
        user(text('b')),
      ),
    ],
    ['an earlier answer without its thoughts', { ...talk(assistant(text('a')), user(text('b'))), ...BUDGET }],
    ['a late system message', { ...talk({ role: 'system', content: 'a' }), model: 'claude-opus-4-8' }],
    ['a prefill', talk(assistant(text('The answer is')))],
    ['a prefill of an old Claude', { ...talk(assistant(text('The answer is'))), model: 'claude-sonnet-4-5' }],
    [
      'an image and a document',
      talk(
        user(image('image/png', PNG), {
          type: 'document',
          source: { type: 'text', media_type: 'text/plain', data: 'x' },
        }),
      ),
    ],
    [
      'four marks',
      say({ system: [text('a', MARK), text('b', MARK)], tools: [{ ...TOOL, ...MARK }], ...MARK }),
    ],
    ['a closed schema', schema(CLOSED)],
    [
      'a schema with definitions in a tool',
      say({ tools: [{ name: 'a', input_schema: { ...OBJECT, $defs: {} } }] }),
    ],
    [
      'a field of a beta',
      say({ context_management: { edits: [] } }),
      { headers: { ...HEADERS, 'anthropic-beta': 'context-management-2025-06-27' } },
    ],
  ],
  refused: {
    'the version of the API is named': [['anthropic-version: header is required', say(), { headers: {} }]],
    'text is well-formed Unicode': [
      ['not valid JSON: no low surrogate in string', talk(user(text('a\ud83d')))],
    ],
    'fields and their types': [
      ['max_tokens: Field required', { model: 'sim-large', messages: [user(text('a'))] }],
      ['foo: Extra inputs are not permitted', say({ foo: 1 })],
      ['context_management: Extra inputs are not permitted', say({ context_management: { edits: [] } })],
      ['temperature: Extra inputs are not permitted', say({ temperature: 0.5 })],
      [
        'messages.0.content.0.text.annotations: Extra inputs are not permitted',
        say({ messages: [user(text('a', { annotations: [] }))] }),
      ],
      [
        'tools.0.custom.input_examples2: Extra inputs are not permitted',
        say({ tools: [{ ...TOOL, input_examples2: [] }] }),
      ],
      ['max_tokens: Input should be a valid integer', say({ max_tokens: '5' })],
      [
        "messages.1.role: Input should be 'user', 'assistant' or 'system'",
        talk({ role: 'tool', content: 'x' }),
      ],
      ["expected tags: 'text'", talk(assistant({ type: 'input_text', text: 'x' }))],
      ["'image/jpeg'", talk(user(image('image/bmp', PNG)))],
      [
        'signature: Field required',
        talk(assistant({ type: 'thinking', thinking: 'Hm.' }, text('a')), user(text('b'))),
      ],
    ],
    'the cap of tokens': [
      ['max_tokens: Input should be greater than or equal to 1', say({ max_tokens: 0, stream: true })],
      ['max_tokens: Input should be a valid integer', say({ max_tokens: 1.5 })],
      ['max_tokens: 99999 > 64000', say({ max_tokens: 99_999, model: 'claude-sonnet-4-5-20250929' })],
    ],
    thinking: [
      [
        'budget_tokens: Input should be greater than or equal to 1024',
        say({ thinking: { type: 'enabled', budget_tokens: 1_000 } }),
      ],
      ['`max_tokens` must be greater than', say({ thinking: { type: 'enabled', budget_tokens: 2_000 } })],
      ['tool_choice forces tool use', say({ ...BUDGET, tools: [TOOL], tool_choice: { type: 'any' } })],
      ['`temperature` may only be set to 1', say({ ...BUDGET, temperature: 0.5 }), SAMPLING],
      ['"thinking.type.enabled" is not supported', say({ ...BUDGET, model: 'claude-opus-4-8' })],
    ],
    sampling: [
      [
        '`temperature` and `top_p` cannot both',
        say({ temperature: 1, top_p: 0.5, model: 'claude-opus-4-5' }),
        SAMPLING,
      ],
      ['temperature: range: 0..1', say({ temperature: 1.5 }), SAMPLING],
      ['`top_k` is not supported for this model', say({ top_k: 5, model: 'claude-opus-5' }), SAMPLING],
    ],
    tools: [
      [
        "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
        say({ tools: [{ ...TOOL, name: 'fs.read' }] }),
      ],
      ['Tool names must be unique', say({ tools: [TOOL, TOOL] })],
      ['tool_choice may only be specified while providing tools', say({ tool_choice: { type: 'auto' } })],
      ["Tool 'other' not found", say({ tools: [TOOL], tool_choice: { type: 'tool', name: 'other' } })],
    ],
    schemas: [
      [
        "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false",
        schema(OBJECT),
      ],
      ["'additionalProperties: true' is not supported", schema({ ...OBJECT, additionalProperties: true })],
      [
        "For 'integer' type, properties maximum are not supported",
        schema({ ...CLOSED, properties: { a: { type: 'integer', maximum: 3 } } }),
      ],
      ["tools.0.custom: For 'object' type", say({ tools: [{ ...TOOL, strict: true }] })],
    ],
    'cache marks': [
      [
        'A maximum of 4 blocks with cache_control may be provided. Found 5.',
        say({ system: ['a', 'b', 'c', 'd', 'e'].map((own) => text(own, MARK)) }),
      ],
      [
        "must not come after a ttl='5m'",
        say({
          system: [text('a', MARK)],
          messages: [user(text('b', { cache_control: { type: 'ephemeral', ttl: '1h' } }))],
        }),
      ],
    ],
    'stop sequences': [['each stop sequence must contain non-whitespace', say({ stop_sequences: [' '] })]],
    'empty blocks are not marked': [
      [
        'messages.0.content.1.text: cache_control cannot be set for empty text blocks',
        say({ messages: [user(text('a'), text('', MARK))] }),
      ],
    ],
    content: [
      ['at least one message is required', say({ messages: [] })],
      [
        'messages.0: all messages must have non-empty content',
        say({ messages: [{ role: 'user', content: '' }] }),
      ],
      ['messages: text content blocks must be non-empty', talk(assistant(text('')), user(text('a')))],
      [
        'messages: text content blocks must contain non-whitespace text',
        talk(assistant(text(' \n')), user(text('a'))),
      ],
      ['system: text content blocks must be non-empty', say({ system: [text('')] })],
    ],
    'ids of tool uses': [
      [
        "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
        talk(assistant(use('functions.look:0')), user(result('functions.look:0'))),
      ],
      [
        '`tool_use` ids must be unique',
        talk(assistant(use('a')), user(result('a')), assistant(use('a')), user(result('a'))),
      ],
      [
        'tool_use.input: Input should be a valid dictionary',
        talk(assistant(use('a', '{}')), user(result('a'))),
      ],
    ],
    'tool uses and their results': [
      [
        'unexpected `tool_use_id` found in `tool_result` blocks: b',
        talk(assistant(use('a')), user(result('a'), result('b'))),
      ],
      [
        'without `tool_result` blocks immediately after: b',
        talk(assistant(use('a'), use('b')), user(result('a'))),
      ],
      ['immediately after: a', talk(assistant(use('a')), user(text('Well?'), result('a')))],
      ['immediately after: a', talk(assistant(use('a')))],
      ['Found multiple `tool_result` blocks', talk(assistant(use('a')), user(result('a'), result('a')))],
    ],
    'results of failed tools': [
      [
        'messages.2.content.0.tool_result: content cannot be empty if `is_error` is true',
        talk(assistant(use('a')), user({ ...result('a'), content: [], is_error: true })),
      ],
      [
        'all content must be type `text` if `is_error` is true',
        talk(
          assistant(use('a')),
          user({ ...result('a'), content: [image('image/png', PNG)], is_error: true }),
        ),
      ],
    ],
    'signed thoughts': [
      [
        'messages.1.content.0: Invalid `signature` in `thinking` block',
        talk(assistant(thought('Hm.', 'c2ln'), text('a')), user(text('b'))),
      ],
      [
        'Invalid `signature`',
        talk(assistant({ ...thought('Hm.'), thinking: 'Changed.' }, text('a')), user(text('b'))),
      ],
      [
        'Invalid `signature`',
        talk(assistant(thought('Hm.'), text('a')), user(text('b'))),
        { apiKey: 'sk-another' },
      ],
      [
        'Invalid `data` in `redacted_thinking` block',
        talk(assistant({ type: 'redacted_thinking', data: 'x' }, text('a')), user(text('b'))),
      ],
      ['cannot be `thinking`', talk(assistant(text('a'), thought('Hm.')), user(text('b')))],
      [
        'Expected `thinking` or `redacted_thinking`, but found `tool_use`',
        { ...talk(assistant(use('a')), user(result('a'))), ...BUDGET },
      ],
      ['When thinking is disabled', talk(assistant(thought('Hm.'), text('a')))],
    ],
    'places of system messages': [
      [
        "role 'system' is not supported on this model",
        { ...talk({ role: 'system', content: 'Be brief.' }), model: 'claude-opus-4-7' },
      ],
      [
        'must follow a user turn',
        {
          ...talk({ role: 'system', content: 'a' }, { role: 'user', content: 'b' }),
          model: 'claude-opus-4-8',
        },
      ],
    ],
    prefill: [
      [
        'does not support assistant message prefill',
        { ...talk(assistant(text('a'))), model: 'claude-opus-4-6' },
      ],
      [
        'Prefilling is not supported with structured outputs',
        {
          ...talk(assistant(text('{'))),
          ...schema(CLOSED),
          messages: [user(text('a')), assistant(text('{'))],
        },
      ],
      ['cannot end with trailing whitespace', talk(assistant(text('a ')))],
    ],
    images: [
      ['appears to be a image/png image', talk(user(image('image/jpeg', PNG)))],
      ['Could not process image', talk(user(image('image/png', 'aGVsbG8=')))],
      ['invalid base64 data', talk(user(image('image/png', '!!!')))],
    ],
  },
});
