/** Inputs that break a rule of some vendor: a wire sends them as its vendor takes them, or refuses before the call. */
import { describe, expect, test } from '@jest/globals';
import type { Message } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import type { ProviderCall } from '../../../engine/providers/provider.ts';
import type { WireFamily } from '../../../platform/config/schema.ts';
import { simulatedForTests } from '../../harness/simulated-provider.ts';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { callOf, errorOf, hear } from './hear.ts';

/** For each wire, a model that its vendor has most rules for. */
const MODELS = {
  'openai-responses': ['sim-large', 'gpt-5.1'],
  'openai-chat': ['sim-large'],
  'azure-openai': ['gpt-4.1', 'o4-mini'],
  'anthropic-messages': ['sim-large', 'claude-sonnet-4-5', 'claude-opus-4-8'],
  google: ['sim-large', 'gemini-2.0-flash', 'gemini-2.5-pro', 'gemini-3-pro'],
  cohere: ['command-a-03-2025'],
} as const satisfies Partial<Record<WireFamily, readonly string[]>>;
const CASES = Object.entries(MODELS).flatMap(([wire, models]) =>
  models.map((model) => [wire as keyof typeof MODELS, model] as const),
);

const server = simulatedForTests();

const LONG_ID = `call_${'x'.repeat(300)}`;
const LOOK = { name: 'look', parameters: { type: 'object', properties: { at: { type: 'string' } } } };
const OPEN = { type: 'object', properties: { a: { type: 'string' }, b: { type: 'integer', minimum: 3 } } };
const PNG = 'iVBORw0KGgo=';
const DIRECTIVE = '[[sim tokens=5 delay_ms=0]]';
const ask = (content: Message['content'] = `Go. ${DIRECTIVE}`): Message => ({ role: 'user', content });

function toolTurn(ids: readonly string[], written = '{"at":"a"}'): Message[] {
  return [
    ask('Look.'),
    {
      role: 'assistant',
      content: ids.map((id) => ({ type: 'tool-call' as const, id, name: 'look', arguments: written })),
    },
    {
      role: 'user',
      content: [
        { type: 'text', text: `Seen. ${DIRECTIVE}` },
        ...ids.toReversed().map((id) => ({ type: 'tool-result' as const, id, content: 'a boat' })),
      ],
    },
  ];
}

const CALL = (id: string) => ({ type: 'tool-call' as const, id, name: 'look', arguments: '{}' });
const RESULT = (id: string) => ({ type: 'tool-result' as const, id, content: 'a boat' });
const OLD_DRAFT = {
  type: 'object',
  properties: {
    at: { type: 'array', items: [{ type: 'number' }, { type: 'number' }] },
    ttl: { type: 'integer', minimum: 0, exclusiveMinimum: true, required: true },
    names: { type: 'array' },
  },
};

const BOUNDED = {
  type: 'object',
  properties: {
    at: { type: 'array', items: { type: 'number', minimum: 0 }, minItems: 2, maxItems: 2 },
    by: { anyOf: [{ $ref: '#/$defs/name' }, { type: 'null' }] },
  },
  required: ['at', 'by'],
  additionalProperties: false,
  $defs: { name: { type: 'string', maxLength: 9 } },
};

const REFERRING = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: { at: { $ref: '#/$defs/place', title: 'At', description: 'Where it is.' } },
  required: ['at'],
  additionalProperties: false,
  $defs: { place: { type: 'string' } },
};

/** As generators write what refers to itself. */
const CHAIN = {
  $ref: '#/$defs/link',
  $defs: {
    link: {
      type: 'object',
      properties: { next: { anyOf: [{ $ref: '#/$defs/link' }, { type: 'null' }] } },
      required: ['next'],
      additionalProperties: false,
    },
  },
};

const CLOSED = (properties: object) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

const INPUTS: Readonly<Record<string, Partial<GenerationInput>>> = {
  'ids of tool calls in any form': { messages: toolTurn(['functions.look:0', LONG_ID]), tools: [LOOK] },
  'a tool call without arguments': { messages: toolTurn(['a'], ''), tools: [LOOK] },
  'failed tools with a picture, and without words': {
    messages: [
      ...toolTurn(['a', 'b', 'c']).slice(0, 2),
      ask([
        { ...RESULT('a'), isError: true, content: [{ type: 'image', url: `data:image/png;base64,${PNG}` }] },
        { ...RESULT('b'), isError: true, content: '' },
        { ...RESULT('c'), isError: true, content: [{ type: 'text', text: ' ' }] },
        { type: 'text', text: DIRECTIVE },
      ]),
    ],
    tools: [LOOK],
  },
  'names of tools with dots': {
    messages: [ask()],
    tools: [
      { ...LOOK, name: 'fs.look' },
      { ...LOOK, name: 'n'.repeat(90) },
    ],
  },
  'a tool twice': { messages: [ask()], tools: [LOOK, { ...LOOK, parameters: { ...LOOK.parameters } }] },
  'two tools of one name': { messages: [ask()], tools: [LOOK, { ...LOOK, description: 'Another one.' }] },
  'a tool that must be called': { messages: [ask()], tools: [LOOK], toolChoice: { name: 'look' } },
  'a choice without tools': { messages: [ask()], toolChoice: 'auto' },
  'a call by a name that no tool has': {
    messages: [
      ask('Look.'),
      { role: 'assistant', content: [{ ...CALL('a'), name: '\u770b" />\n' }] },
      ask([RESULT('a'), { type: 'text', text: DIRECTIVE }]),
    ],
    tools: [LOOK],
  },
  'a turn without content': { messages: [ask('First.'), { role: 'assistant', content: '' }, ask()] },
  'texts that are empty or blank': {
    messages: [
      ask([
        { type: 'text', text: '' },
        { type: 'text', text: `Go. ${DIRECTIVE}` },
      ]),
    ],
    system: ' ',
  },
  'an image whose type is wrong': {
    messages: [
      ask([
        { type: 'text', text: `What? ${DIRECTIVE}` },
        { type: 'image', url: `data:image/jpeg;base64,${PNG}` },
      ]),
    ],
  },
  'an open schema': { messages: [ask()], output: { name: 'answer', schema: OPEN } },
  'an answer with a format that strict mode does not know': {
    messages: [ask()],
    output: { name: 'answer', schema: CLOSED({ at: { type: 'string', format: 'uri' } }) },
  },
  'a strict answer and tool with such a format': {
    messages: [ask()],
    output: { name: 'answer', schema: CLOSED({ at: { type: 'string', format: 'uri' } }), strict: true },
    tools: [{ name: 'look', parameters: CLOSED({ at: { type: 'string', format: 'uri' } }), strict: true }],
  },
  'a list of anything': {
    messages: [ask()],
    output: { name: 'answer', schema: CLOSED({ at: { type: ['array', 'null'] } }) },
  },
  'an object or nothing': {
    messages: [ask()],
    output: {
      name: 'answer',
      schema: CLOSED({ at: { ...CLOSED({ x: { type: 'number' } }), type: ['object', 'null'] } }),
    },
  },
  'a name of a schema with blanks': {
    messages: [ask()],
    output: {
      name: 'my answer',
      schema: CLOSED({ a: { type: 'string' } }),
    },
  },
  'JSON without a schema, and without the word': { messages: [ask()], output: { name: 'answer' } },
  'a cap of one token': { messages: [ask()], maxOutputTokens: 1 },
  'thinking with a small cap': { messages: [ask()], maxOutputTokens: 1_200, reasoning: { effort: 'high' } },
  'thinking after a tool call without thoughts': {
    messages: toolTurn(['a']),
    tools: [LOOK],
    reasoning: { effort: 'high' },
  },
  'thinking with sampling': { messages: [ask()], temperature: 0.5, reasoning: { effort: 'low' } },
  'two parameters of sampling': { messages: [ask()], temperature: 0.5, topP: 0.5 },
  'a high temperature': { messages: [ask()], temperature: 1.8 },
  'sampling that changes nothing': { messages: [ask()], temperature: 1, topP: 1 },
  'six stop sequences': { messages: [ask()], stop: ['a', 'b', 'c', 'd', 'e', 'f'] },
  'a tool without parameters': {
    messages: [ask()],
    tools: [{ name: 'look', parameters: { type: 'object' } }],
  },
  'a tool with alternatives at the root': {
    messages: [ask()],
    tools: [
      { name: 'look', parameters: { type: 'object', anyOf: [{ required: ['at'] }, { required: ['in'] }] } },
    ],
  },
  'tools of older drafts': { messages: [ask()], tools: [{ name: 'look', parameters: OLD_DRAFT }] },
  'a tool with a property that no vendor could name': {
    messages: [ask()],
    tools: [
      { name: 'look', parameters: { type: 'object', properties: { 'filter[at]': { type: 'string' } } } },
    ],
  },
  'ids of tool calls that two turns share': {
    messages: [
      ...toolTurn(['call_0', 'call_1']).slice(0, 2),
      { role: 'user', content: [RESULT('call_1'), RESULT('call_0')] },
      ...toolTurn(['call_0', 'call_1']).slice(1),
    ],
    tools: [LOOK],
  },
  'a strict tool with bounds': {
    messages: [ask()],
    tools: [{ name: 'look', parameters: BOUNDED, strict: true }],
  },
  'an answer whose schema says more beside a reference': {
    messages: [ask()],
    output: { name: 'answer', schema: REFERRING },
  },
  'a tool that must fit such a schema': {
    messages: [ask()],
    tools: [{ name: 'look', parameters: REFERRING, strict: true }],
  },
  'an answer whose schema is a reference': { messages: [ask()], output: { name: 'answer', schema: CHAIN } },
  'a tool whose schema is a reference': {
    messages: [ask()],
    tools: [
      { name: 'look', parameters: CHAIN },
      { name: 'see', parameters: CHAIN, strict: true },
    ],
  },
  'tools with JSON': { messages: [ask('Give me JSON.'), ask()], tools: [LOOK], output: { name: 'answer' } },
  'what the assistant said between a call and its result': {
    messages: [
      ask('Look.'),
      { role: 'assistant', content: [CALL('a')] },
      { role: 'assistant', content: 'I am looking.' },
      { role: 'assistant', content: [{ type: 'text', text: 'Again.' }, CALL('b')] },
      ask([RESULT('a'), RESULT('b'), { type: 'text', text: DIRECTIVE }]),
    ],
    tools: [LOOK],
  },
  'thinking turned off': { messages: [ask()], reasoning: { effort: 'none', thinks: false } },
  'an effort without thinking': { messages: [ask()], reasoning: { effort: 'high', thinks: false } },
  'several texts of a turn': {
    messages: [
      ask([
        { type: 'text', text: 'One.' },
        { type: 'text', text: `Two. ${DIRECTIVE}` },
      ]),
    ],
  },
  'a developer, and parallel calls turned off': {
    messages: [{ role: 'developer', content: 'Be short.' }, ask()],
    tools: [LOOK],
    parallelToolCalls: false,
  },
  'a system message at the end': { messages: [ask(), { role: 'system', content: 'Be short.' }] },
};

test("the version of Google's API is that of the config", async () => {
  const google = adapterFor('google', { ...simulatedConfig('google', server.url), apiVersion: 'v1beta' });
  await hear(google, callOf({ messages: [ask()] }, { model: 'by-version' }));
  expect((await server.sim.received('by-version')).map(({ path }) => path)).toEqual([
    '/v1beta/models/by-version:streamGenerateContent',
  ]);
});

describe.each(CASES)('%s, %s', (wire, model) => {
  const provider = () => adapterFor(wire, simulatedConfig(wire, server.url));

  async function expectNoRefusal(call: ProviderCall): Promise<void> {
    const heard = await hear(provider(), call);
    const keys = Object.values(await server.sim.keys());
    const refused = keys.reduce((sum, key) => sum + key.refused, 0);
    // What cannot be sent is refused by us, with a name, and not by the vendor.
    expect([refused, errorOf(heard)?.message ?? '']).toEqual([0, expect.any(String)]);
    if (heard.error !== undefined) expect(errorOf(heard)?.code).toBe('unsupported_by_model');
  }

  test.each(Object.keys(INPUTS))('%s', async (name) => {
    const input = INPUTS[name] ?? {};
    await expectNoRefusal(callOf(input, { model }));
  });

  test('an answer that is continued after white space', async () => {
    const resume = { strategy: 'instruct', deliveredText: 'So far. \n' } as const;
    await expectNoRefusal(callOf({ messages: [ask()] }, { model, resume: resume as ProviderCall['resume'] }));
    const { prefill } = provider().capabilities(model);
    if (!prefill) return;
    const own = { ...resume, strategy: 'prefill' } as unknown as ProviderCall['resume'];
    await expectNoRefusal(callOf({ messages: [ask()] }, { model, resume: own }));
  });
});
