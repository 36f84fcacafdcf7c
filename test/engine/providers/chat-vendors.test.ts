/**
 * One conversation of an agent at every vendor of chat completions that knows less than OpenAI: each gets it in roles,
 * orders and fields that it takes. Public reports of other gateways, which sent them as they came.
 */
import { describe, expect, test } from '@jest/globals';
import type { Message } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { VENDORS } from '../../../platform/config/vendors.ts';
import { simulatedForTests } from '../../harness/simulated-provider.ts';
import { adapterFor } from './adapter-for.ts';
import { callOf, errorOf, hear } from './hear.ts';

const server = simulatedForTests();

const chat = (fields: object) => ({ format: 'openai-chat' as const, fields: { ...fields } });
const PNG = 'data:image/png;base64,iVBORw0KGgo=';
const DIRECTIVE = '[[sim tokens=5 delay_ms=0]]';

/** A developer, an earlier answer with what clients send back of it, a tool with a picture, and a late system text. */
const AGENT: readonly Message[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'developer', content: 'In French.' },
  {
    role: 'user',
    content: [{ type: 'text', text: 'Hello', native: chat({ cache_control: { type: 'ephemeral' } }) }],
  },
  { role: 'user', content: 'and look.' },
  {
    role: 'assistant',
    content: [
      { type: 'text', text: 'No.', isRefusal: true },
      { type: 'tool-call', id: 'call_1', name: 'look', arguments: '{}' },
    ],
    native: chat({ reasoning_content: 'I look.', annotations: [] }),
  },
  { role: 'user', content: [{ type: 'tool-result', id: 'call_1', content: 'a boat' }] },
  { role: 'system', content: 'Night has come.' },
  { role: 'user', content: `What is it? ${DIRECTIVE}` },
];
const LOOK = { name: 'look', parameters: {} };
const TALK: readonly Message[] = [
  { role: 'assistant', content: 'How can I help?' },
  { role: 'user', content: 'First.' },
  { role: 'developer', content: 'In French.' },
  { role: 'user', content: `Second. ${DIRECTIVE}` },
];

async function sentTo(vendor: string, model: string, input: Partial<GenerationInput>) {
  const { apiKeyEnv: _, ...own } = VENDORS[vendor] ?? { wire: 'openai-chat' as const };
  const provider = adapterFor(vendor, { ...own, baseUrl: `${server.url}/v1`, prefill: undefined } as never);
  const heard = await hear(provider, callOf(input, { model }));
  const [request] = await server.sim.received('sim tokens=5');
  return { error: errorOf(heard)?.message, text: heard.text, body: request?.body as Record<string, never> };
}

describe.each([
  ['deepseek', 'deepseek-v4'],
  ['mistral', 'mistral-large-latest'],
  ['groq', 'openai/gpt-oss-120b'],
  ['cerebras', 'gpt-oss-120b'],
  ['vllm', 'Qwen/Qwen3.6-27B'],
  ['llama-cpp', 'qwen3.5-9b'],
  ['openrouter', 'some/model'],
  ['together', 'some-model'],
])('%s', (vendor, model) => {
  test('takes the conversation of an agent', async () => {
    const { error, text, body } = await sentTo(vendor, model, { messages: AGENT, tools: [LOOK] });
    expect([error, text === '']).toEqual([undefined, false]);
    const sent = JSON.stringify(body['messages']);
    for (const words of ['Be brief.', 'In French.', 'Night has come.', 'a boat', 'What is it?']) {
      expect(sent).toContain(words);
    }
    expect(sent).not.toMatch(/developer|"refusal"/);
    expect(body['tools']).toMatchObject([{ function: { parameters: { type: 'object', properties: {} } } }]);
  });
});

test('Perplexity, which wants the turns to alternate, gets neighbours as one', async () => {
  const { error, body } = await sentTo('perplexity', 'sonar', { messages: TALK });
  expect(error).toBeUndefined();
  expect(body['messages']).toEqual([
    { role: 'system', content: 'In French.' },
    { role: 'user', content: 'Begin.' },
    { role: 'assistant', content: 'How can I help?' },
    { role: 'user', content: `First.\n\nSecond. ${DIRECTIVE}` },
  ]);
});

test('Mistral gets the picture of a tool as the user’s, after a word of the assistant', async () => {
  const shot: Message = {
    role: 'user',
    content: [
      {
        type: 'tool-result',
        id: 'call_1',
        content: [
          { type: 'text', text: 'here' },
          { type: 'image', url: PNG },
        ],
      },
    ],
  };
  const messages = [...AGENT.slice(2, 5), shot, { role: 'user' as const, content: `Well? ${DIRECTIVE}` }];
  const { error, body } = await sentTo('mistral', 'mistral-of-tomorrow', { messages, tools: [LOOK] });
  expect(error).toBeUndefined();
  const after = (body['messages'] as unknown as Message[]).slice(3);
  expect(after.map(({ role }) => role)).toEqual(['tool', 'assistant', 'user', 'user']);
  expect(JSON.stringify(after[2])).toContain(PNG);
});

test.each([
  ['groq', 'openai/gpt-oss-120b', { reasoning: { effort: 'high' } }, { reasoning_effort: 'high' }],
  [
    'groq',
    'openai/gpt-oss-120b',
    { thinking: { type: 'enabled', budget_tokens: 2_000 } },
    { reasoning_effort: 'low' },
  ],
  ['deepseek', 'deepseek-v4', { reasoning: { effort: 'high' } }, { thinking: { type: 'enabled' } }],
  ['deepseek', 'deepseek-v4', { thinking: { type: 'disabled' } }, { thinking: { type: 'disabled' } }],
  ['openrouter', 'some/model', { reasoning: { max_tokens: 900 } }, { reasoning: { max_tokens: 900 } }],
  ['openrouter', 'some/model', { thinking: { type: 'disabled' } }, { reasoning: { effort: 'none' } }],
  ['together', 'some-model', { reasoning: { effort: 'high' } }, { reasoning: { effort: 'high' } }],
])('%s, %s: %j is sent as the vendor has it', async (vendor, model, fields, expected) => {
  const messages: Message[] = [{ role: 'user', content: `Think. ${DIRECTIVE}` }];
  const { error, body } = await sentTo(vendor, model, { messages, native: chat(fields) });
  expect(error).toBeUndefined();
  const names = ['reasoning', 'thinking', 'reasoning_effort'];
  const sent = Object.entries(body).filter(
    ([name]) => names.includes(name) && name in { ...fields, ...expected },
  );
  expect(Object.fromEntries(sent)).toEqual(expected);
});

// https://github.com/pydantic/pydantic-ai/issues/5285, https://github.com/NousResearch/hermes-agent/issues/11243
test.each([
  ['mistral-small-2603', 'medium', 'high'],
  ['mistral-medium-3-5', 'none', 'none'],
  ['mistral-large-latest', 'none', undefined],
  ['codestral-latest', 'none', undefined],
] as const)('Mistral, %s: effort %s is sent as %s', async (model, effort, expected) => {
  const messages: Message[] = [{ role: 'user', content: `Think. ${DIRECTIVE}` }];
  const { error, body } = await sentTo('mistral', model, { messages, reasoning: { effort } });
  expect([error, body['reasoning_effort']]).toEqual([undefined, expected]);
});

test.each([
  ['deepseek', 'deepseek-v4-pro', { effort: 'high' as const }],
  ['moonshotai', 'kimi-k2.6', undefined],
])('%s, %s: a tool that must be called is, without thoughts', async (vendor, model, reasoning) => {
  const messages: Message[] = [{ role: 'user', content: `Look. ${DIRECTIVE}` }];
  const input = { messages, tools: [LOOK], toolChoice: 'required' as const };
  const { error } = await sentTo(vendor, model, reasoning === undefined ? input : { ...input, reasoning });
  expect(error).toBeUndefined();
  const bodies = (await server.sim.received('sim tokens=5')).map(({ body }) => body);
  expect(bodies).toHaveLength(2);
  expect(bodies[1]).toMatchObject({ tool_choice: 'required', thinking: { type: 'disabled' } });
  expect(bodies[1]).not.toHaveProperty('reasoning_effort');
});

test.each([
  ['openai-chat', 'gpt-4.1', false],
  ['openai-chat', 'another', true],
])(
  '%s, %s: what a server has added to messages returns to servers alone that may know it',
  async (vendor, model, isSent) => {
    const messages = [...AGENT.slice(0, 1), ...AGENT.slice(3)];
    const { error, body } = await sentTo(vendor, model, { messages, tools: [LOOK] });
    expect(error).toBeUndefined();
    expect(JSON.stringify(body).includes('reasoning_content')).toBe(isSent);
  },
);

test.each([
  ['xai', 'grok-4-0709'],
  ['xai', 'grok-4-1-fast-reasoning'],
  ['azure-openai', 'o3-mini'],
  ['openai-chat', 'o4-mini'],
])('%s, %s: switches that the model lacks are left out', async (vendor, model) => {
  const azure = vendor === 'azure-openai' ? { wire: 'azure-openai' as const, baseUrl: server.url } : {};
  const { apiKeyEnv: _, ...own } = VENDORS[vendor] ?? { wire: 'azure-openai' as const };
  const provider = adapterFor(vendor, { ...own, baseUrl: `${server.url}/v1`, ...azure });
  const input: Partial<GenerationInput> = {
    messages: [
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: `Go. ${DIRECTIVE}` },
    ],
    tools: [LOOK],
    parallelToolCalls: false,
    ...(vendor === 'xai' ? { reasoning: { effort: 'high' as const } } : {}),
  };
  const heard = await hear(provider, callOf(input, { model }));
  expect(errorOf(heard)?.message).toBeUndefined();
  const [request] = await server.sim.received('sim tokens=5');
  expect(request?.body).not.toHaveProperty('max_tokens');
  expect(JSON.stringify(request?.body).includes('developer')).toBe(vendor === 'openai-chat');
});

// https://github.com/tensorzero/tensorzero/pull/4851
test.each([
  ['groq', 'openai/gpt-oss-120b', ['look'], 'required'],
  ['mistral', 'mistral-large-latest', ['look'], 'required'],
  ['openai-chat', 'gpt-4.1', ['look', 'jump'], { type: 'allowed_tools' }],
])(
  '%s, %s: tools that may not be called are not offered where there is no word for it',
  async (vendor, model, names, choice) => {
    const messages: Message[] = [{ role: 'user', content: `Look. ${DIRECTIVE}` }];
    const tools = [LOOK, { ...LOOK, name: 'jump' }];
    const toolChoice = { allowed: ['look'], mode: 'required' as const };
    const { error, body } = await sentTo(vendor, model, { messages, tools, toolChoice });
    expect(error).toBeUndefined();
    const offered = body['tools'] as unknown as { function: { name: string } }[];
    expect(offered.map((tool) => tool.function.name)).toEqual(names);
    const sent = body['tool_choice'];
    expect(sent).toEqual(typeof choice === 'string' ? choice : expect.objectContaining(choice));
  },
);

// https://github.com/danny-avila/LibreChat/issues/14231, https://github.com/screenpipe/screenpipe/pull/5634
test.each([
  ['gpt-5.6-terra', [LOOK], 'high', 'none'],
  ['gpt-5.5', [LOOK], undefined, 'none'],
  ['gpt-5.6-terra', [], 'high', 'high'],
  ['gpt-5.1', [LOOK], 'high', 'high'],
] as const)(
  'openai-chat, %s: of tools and thoughts it gets what it takes',
  async (model, tools, effort, expected) => {
    const messages: Message[] = [{ role: 'user', content: `Look. ${DIRECTIVE}` }];
    const thinking = effort === undefined ? {} : { reasoning: { effort } };
    const offered = tools.length === 0 ? {} : { tools };
    const { error, body } = await sentTo('openai-chat', model, { messages, ...offered, ...thinking });
    expect(error).toBeUndefined();
    expect(body['reasoning_effort']).toBe(expected);
  },
);
