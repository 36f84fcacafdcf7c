/** The thoughts of models as each wire sends them, and as they go back. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Part } from '../../../contracts/content.ts';
import type { ProviderCall, ReasoningData } from '../../../engine/providers/provider.ts';
import type { ProviderConfig, WireFamily } from '../../../platform/config/schema.ts';
import { adapterFor, simulatedConfig } from './adapter-for.ts';
import { type FixtureServer, readFixture, startFixtureServer } from './fixture-server.ts';
import { callOf, hear } from './hear.ts';

let server: FixtureServer;
beforeAll(async () => {
  server = await startFixtureServer();
});
afterAll(() => server.stop());

const RETURNS: Partial<ProviderConfig> = { quirks: { reasoningContent: 'tool-turns' } };

/** Plays these events as an answer. @returns what the adapter says of reasoning and calls. */
async function heardOf(wire: WireFamily, events: readonly object[], config: Partial<ProviderConfig> = {}) {
  const lines = events.map((event) => {
    const name = wire === 'anthropic-messages' ? `event: ${(event as { type: string }).type}\n` : '';
    return `${name}data: ${JSON.stringify(event)}\n\n`;
  });
  const headers = { 'content-type': 'text/event-stream' };
  server.play({ status: 200, headers, body: Buffer.from(lines.join('')) });
  const provider = adapterFor(wire, { ...simulatedConfig(wire, server.url), ...config });
  const { events: heard, error } = await hear(provider, callOf({}, { model: 'o3-model' }));
  expect(error).toBeUndefined();
  return heard.flatMap((event): unknown[] => {
    if (event.type === 'reasoning') return [[event.text, event.item ?? 0, event.part ?? 0]];
    if (event.type === 'reasoning-data') return [[event.data, event.item]];
    return event.type === 'tool-call' && event.arguments === '' ? [event.id] : [];
  });
}

const usage = { input_tokens: 1, output_tokens: 1 };

// https://github.com/YishenTu/claudian/issues/759, https://github.com/xemantic/anthropic-sdk-kotlin/pull/147
test('the Messages API of others: thinking that is not signed, and blocks that do not end', async () => {
  const heard = await heardOf('anthropic-messages', [
    { type: 'message_start', message: { id: 'msg_1', content: [], usage } },
    { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'So.' } },
    {
      type: 'content_block_start',
      index: 1,
      content_block: { type: 'tool_use', id: 't', name: 'f', input: {} },
    },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{}' } },
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage },
    { type: 'message_stop' },
  ]);
  const value = { type: 'thinking', thinking: 'So.', signature: '' };
  expect(heard).toEqual([['So.', 0, 0], [{ wire: 'anthropic-messages', value }, 0], 't']);
});

test('the Messages API: signed and redacted thinking, block by block', async () => {
  const start = (index: number, content_block: object) => ({
    type: 'content_block_start',
    index,
    content_block,
  });
  const delta = (index: number, own: object) => ({ type: 'content_block_delta', index, delta: own });
  const stop = (index: number) => ({ type: 'content_block_stop', index });
  const heard = await heardOf('anthropic-messages', [
    { type: 'message_start', message: { id: 'msg_1', content: [], usage } },
    start(0, { type: 'thinking', thinking: '', signature: '' }),
    delta(0, { type: 'thinking_delta', thinking: 'One ' }),
    delta(0, { type: 'thinking_delta', thinking: 'step.' }),
    delta(0, { type: 'signature_delta', signature: 'sig-0' }),
    stop(0),
    start(1, { type: 'redacted_thinking', data: 'hidden' }),
    stop(1),
    start(2, { type: 'thinking', thinking: '', signature: '' }),
    delta(2, { type: 'thinking_delta', thinking: 'Two.' }),
    delta(2, { type: 'signature_delta', signature: 'sig-2' }),
    stop(2),
    start(3, { type: 'tool_use', id: 'toolu_1', name: 'find', input: {} }),
    delta(3, { type: 'input_json_delta', partial_json: '{}' }),
    stop(3),
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage },
    { type: 'message_stop' },
  ]);
  const wire = 'anthropic-messages';
  expect(heard).toEqual([
    ['One ', 0, 0],
    ['step.', 0, 0],
    [{ wire, value: { type: 'thinking', thinking: 'One step.', signature: 'sig-0' } }, 0],
    [{ wire, value: { type: 'redacted_thinking', data: 'hidden' } }, 1],
    ['\n\nTwo.', 2, 0],
    [{ wire, value: { type: 'thinking', thinking: 'Two.', signature: 'sig-2' } }, 2],
    'toolu_1',
  ]);
});

test('case 12: the Responses API: each item with its parts and its encrypted content', async () => {
  const item = { type: 'reasoning', id: 'rs_1', encrypted_content: 'gAAAA', summary: [] };
  const response = { id: 'resp_1', status: 'completed', output: [], usage };
  let sequence_number = -1;
  const numbered = (event: object) => {
    sequence_number += 1;
    return { ...event, sequence_number };
  };
  const delta = (output_index: number, summary_index: number, text: string) => ({
    type: 'response.reasoning_summary_text.delta',
    output_index,
    summary_index,
    delta: text,
  });
  const heard = await heardOf(
    'openai-responses',
    [
      { type: 'response.created', response },
      delta(0, 0, '**One**'),
      delta(0, 1, '**Two**'),
      { type: 'response.output_item.done', output_index: 0, item },
      delta(1, 0, '**Three**'),
      { type: 'response.output_item.done', output_index: 1, item: { ...item, encrypted_content: null } },
      { type: 'response.output_text.delta', output_index: 2, delta: 'Done.' },
      { type: 'response.completed', response },
    ].map(numbered),
  );
  expect(heard).toEqual([
    ['**One**', 0, 0],
    ['\n\n**Two**', 0, 1],
    [{ wire: 'openai-responses', value: item }, 0],
    ['\n\n**Three**', 1, 0],
  ]);
});

test('Gemini: the signature of a tool call comes before it, that of the text behind it', async () => {
  const chunk = (parts: readonly object[], more: object = {}) => ({
    candidates: [{ content: { role: 'model', parts }, ...more }],
    responseId: 'r1',
  });
  const heard = await heardOf('google', [
    chunk([{ text: 'Hm.', thought: true }]),
    chunk([{ text: 'I look.' }]),
    chunk([{ text: '', thoughtSignature: 'sig-text' }]),
    chunk([{ functionCall: { name: 'find', args: {} }, thoughtSignature: 'sig-call' }]),
    chunk([{ functionCall: { name: 'find', args: {} } }], { finishReason: 'STOP' }),
  ]);
  expect(heard).toEqual([
    ['Hm.', 0, 0],
    [{ wire: 'google', value: { text: '', thoughtSignature: 'sig-text' } }, undefined],
    [{ wire: 'google', callId: 'r1-0', value: { thoughtSignature: 'sig-call' } }, undefined],
    'r1-0',
    'r1-1',
  ]);
});

const chatChunk = (delta: object, finish_reason: string | null = null) => ({
  id: 'chat-1',
  choices: [{ index: 0, delta, finish_reason }],
});
const chatCall = (more: object = {}) => ({
  tool_calls: [{ index: 0, id: 'call_1', function: { name: 'find', arguments: '{}' }, ...more }],
});

test('DeepSeek: the reasoning of each stretch is kept whole', async () => {
  const heard = await heardOf(
    'openai-chat',
    [
      chatChunk({ reasoning_content: 'Let me ' }),
      chatChunk({ reasoning_content: 'look.' }),
      chatChunk(chatCall()),
      chatChunk({}, 'tool_calls'),
    ],
    RETURNS,
  );
  expect(heard).toEqual([
    ['Let me ', 0, 0],
    ['look.', 0, 0],
    [{ wire: 'openai-chat', value: { reasoning_content: 'Let me look.' } }, 0],
    'call_1',
  ]);
});

test('vendors of chat completions: details of OpenRouter, and extra content of a call', async () => {
  const text = (own: string, more: object = {}) => ({
    reasoning_details: [{ type: 'reasoning.text', text: own, index: 0, ...more }],
  });
  const extra_content = { google: { thought_signature: 'sig' } };
  const heard = await heardOf('openai-chat', [
    chatChunk({ reasoning: 'Hm', ...text('H') }),
    chatChunk(text('m', { signature: 's' })),
    chatChunk({ reasoning_details: [{ type: 'reasoning.encrypted', data: 'd', index: 1 }] }),
    chatChunk(chatCall({ extra_content })),
    chatChunk({}, 'tool_calls'),
  ]);
  const reasoning_details = [
    { type: 'reasoning.text', text: 'Hm', index: 0, signature: 's' },
    { type: 'reasoning.encrypted', data: 'd', index: 1 },
  ];
  expect(heard).toEqual([
    ['Hm', 0, 0],
    [{ wire: 'openai-chat', value: { reasoning_details } }, 0],
    [{ wire: 'openai-chat', callId: 'call_1', value: { extra_content } }, undefined],
    'call_1',
  ]);
});

describe('a turn with a tool call goes back', () => {
  /** @returns the body of the request whose assistant turn has these thoughts and calls. */
  async function sent(
    wire: WireFamily,
    thoughts: readonly ReasoningData[],
    { model = 'model-1', config = {} }: { model?: string; config?: Partial<ProviderConfig> } = {},
    extra: Partial<ProviderCall> = {},
  ) {
    server.requests.length = 0;
    server.play(readFixture(wire, 'plain'));
    const provider = adapterFor(wire, { ...simulatedConfig(wire, server.url), ...config });
    const own = thoughts.map((_, at): Part => ({ type: 'reasoning', text: 'shown', sealed: `seal-${at}` }));
    const foreign: Part = { type: 'reasoning', text: 'of another', sealed: 'foreign' };
    const calls = ['call_1', 'call_2'].map(
      (id): Part => ({ type: 'tool-call', id, name: 'find', arguments: '{}' }),
    );
    const input = {
      messages: [
        { role: 'user' as const, content: 'Find it.' },
        { role: 'assistant' as const, content: [foreign, ...own, ...calls] },
        {
          role: 'user' as const,
          content: ['call_1', 'call_2'].map((id): Part => ({ type: 'tool-result', id, content: 'ok' })),
        },
      ],
      tools: [{ name: 'find', parameters: { type: 'object' } }],
      reasoning: { effort: 'high' as const },
    };
    const openedSeals = new Map(thoughts.map((data, at) => [`seal-${at}`, data]));
    const { error } = await hear(provider, callOf(input, { model, openedSeals, ...extra }));
    expect(error).toBeUndefined();
    expect(JSON.stringify(server.requests[0]?.body)).not.toContain('of another');
    return server.requests[0]?.body as Record<string, never>;
  }

  test('to Anthropic with its thinking, which stays on', async () => {
    const value = { type: 'thinking', thinking: 'Exactly this.', signature: 'sig' };
    const body = await sent('anthropic-messages', [{ wire: 'anthropic-messages', value }]);
    expect(body).toMatchObject({
      thinking: { type: 'adaptive' },
      messages: [{}, { content: [value, { type: 'tool_use' }, { type: 'tool_use' }] }, {}],
    });
  });

  test('to Anthropic without thinking where its thoughts are not known', async () => {
    const body = await sent('anthropic-messages', [], { model: 'claude-sonnet-4-5' });
    expect(body).not.toHaveProperty('thinking');
    expect(body).toMatchObject({ messages: [{}, { content: [{ type: 'tool_use' }, {}] }, {}] });
    // Claude from 4.6 on does not ask for them. Source: Anthropic, "Adaptive thinking".
    const adaptive = await sent('anthropic-messages', [], { model: 'claude-opus-4-8' });
    expect(adaptive).toMatchObject({ thinking: { type: 'adaptive' } });
  });

  test('to OpenAI as the item of reasoning that it was', async () => {
    const value = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' };
    const body = await sent('openai-responses', [{ wire: 'openai-responses', value }], { model: 'o3' });
    expect(body).toMatchObject({
      include: ['reasoning.encrypted_content'],
      input: [{}, value, { type: 'function_call' }, { type: 'function_call' }, {}, {}],
    });
  });

  test('to Gemini with the signature of its first call', async () => {
    const value = { thoughtSignature: 'c2ln' };
    const body = await sent('google', [{ wire: 'google', callId: 'call_1', value }], {
      model: 'gemini-3-pro',
    });
    const [first, second] = (body['contents'] as unknown as { parts: object[] }[])[1]?.parts ?? [];
    expect(first).toMatchObject({ functionCall: { id: 'call_1' }, ...value });
    expect(second).not.toHaveProperty('thoughtSignature');
  });

  test('to DeepSeek with its reasoning, or with an empty one', async () => {
    const value = { reasoning_content: 'Let me look.' };
    const known = await sent('openai-chat', [{ wire: 'openai-chat', value }], { config: RETURNS });
    expect(known).toMatchObject({ messages: [{}, value, {}, {}] });
    const unknown = await sent('openai-chat', [], { config: RETURNS });
    expect(unknown).toMatchObject({ messages: [{}, { reasoning_content: '' }, {}, {}] });
    const other = await sent('openai-chat', []);
    expect(JSON.stringify(other)).not.toContain('reasoning_content');
  });

  test('to Cohere with its plan', async () => {
    const body = await sent('cohere', [{ wire: 'cohere', value: { toolPlan: 'I will look.' } }]);
    expect(body).toMatchObject({ messages: [{}, { tool_plan: 'I will look.' }, {}, {}] });
  });
});

test('Gemini gets a signature of its text back on exactly the text that it was given for', async () => {
  server.requests.length = 0;
  server.play(readFixture('google', 'plain'));
  const value = { text: 'end.', thoughtSignature: 'c2ln' };
  const content: Part[] = [
    { type: 'text', text: 'All to the end.' },
    { type: 'reasoning', text: '', sealed: 'seal' },
  ];
  const messages = [
    { role: 'user' as const, content: 'Go.' },
    { role: 'assistant' as const, content },
    { role: 'user' as const, content: 'On.' },
  ];
  const openedSeals = new Map([['seal', { wire: 'google', value } as const]]);
  await hear(
    adapterFor('google', simulatedConfig('google', server.url)),
    callOf({ messages }, { openedSeals }),
  );
  expect(server.requests[0]?.body).toMatchObject({
    contents: [{}, { parts: [{ text: 'All to the ' }, value] }, {}],
  });
});

function thinkingOf(thinkingConfig: object) {
  return { generationConfig: { thinkingConfig } };
}

const SWITCH = { reasoningEffort: 'switch-and-effort' } as const;
const NEAREST = { efforts: ['low', 'high', 'max'] } as const;
test.each([
  ['openai-chat', 'o3', {}, 'none', { reasoning_effort: 'low' }],
  ['openai-chat', 'gpt-5', {}, 'max', { reasoning_effort: 'high' }],
  ['openai-chat', 'gpt-5.2', {}, 'max', { reasoning_effort: 'xhigh' }],
  ['openai-chat', 'another', {}, 'max', { reasoning_effort: 'max' }],
  ['openai-responses', 'gpt-5.1', {}, 'minimal', { reasoning: { effort: 'none' } }],
  ['openai-chat', 'deepseek', SWITCH, 'none', { thinking: { type: 'disabled' } }],
  ['openai-chat', 'deepseek', SWITCH, 'max', { thinking: { type: 'enabled' }, reasoning_effort: 'max' }],
  ['openai-chat', 'kimi', { reasoningEffort: 'thinking-switch' }, 'max', { thinking: { type: 'enabled' } }],
  ['openai-chat', 'kimi-k3', { reasoningEffort: 'thinking-switch' }, 'xhigh', { reasoning_effort: 'high' }],
  ['openai-chat', 'moonshotai/Kimi-K3.1-pro', {}, 'none', { reasoning_effort: 'low' }],
  ['openai-chat', 'mistral-small-latest', {}, 'low', { reasoning_effort: 'high' }],
  ['openai-chat', 'mistral-medium-3-5', {}, 'none', { reasoning_effort: 'none' }],
  ['openai-chat', 'mistral-large-4-0', {}, 'max', { reasoning_effort: 'high' }],
  ['openai-chat', 'other', NEAREST, 'xhigh', { reasoning_effort: 'high' }],
  ['openai-chat', 'other', NEAREST, 'none', { reasoning_effort: 'low' }],
  ['anthropic-messages', 'claude-opus-4-6', {}, 'xhigh', { output_config: { effort: 'high' } }],
  ['anthropic-messages', 'claude-opus-4-7', {}, 'xhigh', { output_config: { effort: 'xhigh' } }],
  ['google', 'gemini-3-pro', {}, 'none', thinkingOf({ thinkingLevel: 'LOW' })],
  ['google', 'gemini-3-flash', {}, 'none', thinkingOf({ thinkingLevel: 'MINIMAL' })],
  ['google', 'gemini-2.5-pro', {}, 'none', thinkingOf({ thinkingBudget: 128 })],
  ['google', 'gemini-2.5-flash', {}, 'none', thinkingOf({ thinkingBudget: 0 })],
  ['google', 'gemini-2.0-flash', {}, 'none', { generationConfig: { maxOutputTokens: expect.any(Number) } }],
  ['google', 'gemini-2.5-pro', {}, 'max', thinkingOf({ thinkingBudget: 24_576 })],
] as const)('%s: %s gets its own value for an effort: %j, %s', async (...row) => {
  const [wire, model, quirks, effort, fields] = row;
  server.requests.length = 0;
  server.play(readFixture(wire, 'plain'));
  const config = { ...simulatedConfig(wire, server.url), quirks: { ...quirks, efforts: undefined } };
  const own =
    'efforts' in quirks ? { ...config, quirks: { ...quirks, efforts: [...quirks.efforts] } } : config;
  await hear(adapterFor(wire, own as ProviderConfig), callOf({ reasoning: { effort } }, { model }));
  expect(server.requests[0]?.body).toMatchObject(fields);
});
