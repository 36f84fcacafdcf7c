/** Where the marks of Anthropic's prompt cache stand in what leaves: the client's own, or else ours. */
import { describe, expect, test } from '@jest/globals';
import type { Message, NativeFields, Part } from '../../../contracts/content.ts';
import type { GenerationInput } from '../../../contracts/generation.ts';
import { findContexts } from '../../../engine/compression/find-contexts.ts';
import { CalledModels } from '../../../engine/models/called-model.ts';
import { foreignFields, withoutHints } from '../../../engine/models/native-fields.ts';
import { findInputRefusal } from '../../../engine/models/refuse-input.ts';
import { buildAnthropicRequest } from '../../../engine/providers/anthropic-messages/request.ts';
import { buildOpenAiChatRequest } from '../../../engine/providers/openai-chat/request.ts';
import { buildOpenAiResponseRequest } from '../../../engine/providers/openai-responses/request.ts';
import type { ProviderCall } from '../../../engine/providers/provider.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { callOf } from './hear.ts';

const EPHEMERAL = { type: 'ephemeral' };
const HOUR = { type: 'ephemeral', ttl: '1h' };
/** About 2,000 tokens. */
const LONG = 'A long text of an agent. '.repeat(320);
const tool = (name: string, description = 'Short.') => ({
  name,
  description,
  parameters: { type: 'object' as const },
});
const turn = (question: string, answer: string): Message[] => [
  { role: 'user', content: question },
  { role: 'assistant', content: answer },
];

function sent(input: Partial<GenerationInput>, call: Partial<ProviderCall> = {}) {
  return buildAnthropicRequest(callOf(input, { model: 'claude-sonnet-4-5', ...call })) as unknown as Record<
    string,
    unknown
  >;
}

/** The paths of all marks, and how long each asks to keep its prefix. */
function marksIn(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, own]) =>
    name === 'cache_control'
      ? [`${path} ${(own as { ttl?: string }).ttl ?? '5m'}`]
      : marksIn(own, path === '' ? name : `${path}.${name}`),
  );
}

const agent: Partial<GenerationInput> = {
  system: LONG,
  tools: [tool('read', LONG), tool('write')],
  messages: [...turn('One?', 'One.'), ...turn('Two?', 'Two.'), { role: 'user', content: 'Three?' }],
};

describe('where the client has set no mark', () => {
  test('the last tool, the system text, and the last two turns of the user are marked', () => {
    const four = ['messages.2.content.0 5m', 'messages.4.content.0 5m', 'tools.1 5m', 'system.0 5m'];
    expect(marksIn(sent(agent)).sort()).toEqual(four.sort());
    expect(marksIn(sent({ ...agent, promptCaching: '1h' }))).toEqual(
      marksIn(sent(agent)).map((mark) => mark.replace('5m', '1h')),
    );
  });

  test('nothing but the marks changes', () => {
    const without = JSON.stringify(sent({ ...agent, promptCaching: 'off' }));
    expect(marksIn(JSON.parse(without))).toEqual([]);
    const { system, messages, tools } = sent(agent) as never as {
      system: object[];
      messages: { content: object[] | string }[];
      tools: object[];
    };
    const plain = (text: string) => ({ type: 'text', text, cache_control: EPHEMERAL });
    expect(system).toEqual([plain(LONG)]);
    expect(messages.map(({ content }) => content)).toEqual([
      'One?',
      'One.',
      [plain('Two?')],
      'Two.',
      [plain('Three?')],
    ]);
    expect(tools[1]).toMatchObject({ name: 'write', cache_control: EPHEMERAL });
  });

  test('a prefix below the minimum of the model gets no mark', () => {
    expect(marksIn(sent({ messages: turn('Hi', 'Hello').slice(0, 1) }))).toEqual([]);
    // The tools alone are too short, tools and system are not.
    const short = { ...agent, tools: [tool('read')] };
    expect(marksIn(sent(short))).not.toContain('tools.0 5m');
    expect(marksIn(sent(short))).toContain('system.0 5m');
    const messages: Message[] = [{ role: 'user', content: LONG.slice(0, 2_000) }];
    const atMost = (model: string) => marksIn(sent({ messages }, { model })).length;
    expect(atMost('claude-opus-5')).toBe(1);
    expect(atMost('us.anthropic.claude-opus-5')).toBe(1);
    expect(atMost('claude-sonnet-4-5')).toBe(0);
    const longer = (model: string, tokens: number) =>
      marksIn(sent({ messages: [{ role: 'user', content: 'abc'.repeat(tokens) }] }, { model })).length;
    for (const model of ['claude-haiku-4-5', 'claude-opus-4-6', 'claude-opus-4-5-20251101']) {
      expect([longer(model, 4_000), longer(model, 4_100)]).toEqual([0, 1]);
    }
    expect([longer('claude-opus-4-7', 2_000), longer('claude-opus-4-7', 2_100)]).toEqual([0, 1]);
    expect([longer('claude-3-5-haiku-latest', 2_000), longer('claude-opus-4-8', 1_100)]).toEqual([0, 1]);
  });

  test('a turn of tool results is marked on its last result, and thoughts take no mark', () => {
    const thought = (value: object): Part => ({
      type: 'native',
      format: 'anthropic-messages',
      value: { ...value },
      isReasoning: true,
    });
    const result = (id: string): Part => ({ type: 'tool-result', id, content: 'done' });
    const messages: Message[] = [
      { role: 'user', content: LONG },
      { role: 'assistant', content: [{ type: 'tool-call', id: 't1', name: 'read', arguments: '{}' }] },
      { role: 'user', content: [result('t1'), result('t2')] },
      { role: 'assistant', content: [thought({ type: 'thinking', thinking: 'x', signature: 's' })] },
      { role: 'user', content: [{ type: 'text', text: 'Look.' }, thought({ type: 'thinking' })] },
    ];
    expect(marksIn(sent({ messages, tools: [tool('read')] }))).toEqual([
      'messages.2.content.1 5m',
      'messages.4.content.0 5m',
    ]);
  });

  test('the turns that ask to continue an answer get none: no later call repeats them', () => {
    for (const strategy of ['instruct', 'prefill'] as const) {
      const body = sent(agent, { resume: { strategy, deliveredText: 'Three is' } });
      expect((body['messages'] as object[]).length).toBe(strategy === 'instruct' ? 7 : 6);
      expect(marksIn(body)).toEqual(marksIn(sent(agent)));
    }
  });

  test('a question that is asked once, for data, marks only what other questions share', () => {
    const once = { system: LONG, messages: [{ role: 'user' as const, content: LONG }] };
    expect(marksIn(sent({ ...once, output: { name: 'answer', schema: { type: 'object' } } }))).toEqual([
      'system.0 5m',
    ]);
    expect(marksIn(sent(once))).toEqual(['messages.0.content.0 5m', 'system.0 5m']);
  });

  test('a conversation that is compressed for each question marks only what stays the same', () => {
    expect(marksIn(sent({ ...agent, compression: { keep: 0.5 } })).sort()).toEqual([
      'system.0 5m',
      'tools.1 5m',
    ]);
  });

  test('a tool that the model must search for is no part of the prefix', () => {
    const native: NativeFields = { format: 'anthropic-messages', fields: { defer_loading: true } };
    const tools = [tool('read', LONG), { ...tool('later'), native }];
    expect(marksIn(sent({ ...agent, tools }))).toContain('tools.0 5m');
  });
});

describe('where the client has set a mark', () => {
  const native = (format: NativeFields['format'], mark: object = EPHEMERAL): NativeFields => ({
    format,
    fields: { cache_control: mark },
  });

  test('there is no other, whatever its format and its place', () => {
    for (const format of ['anthropic-messages', 'openai-chat'] as const) {
      const marked: Part = { type: 'text', text: 'Three?', native: native(format) };
      const messages = [...(agent.messages ?? []).slice(0, 4), { role: 'user' as const, content: [marked] }];
      expect(marksIn(sent({ ...agent, messages }))).toEqual(['messages.4.content.0 5m']);
      const [read, write] = agent.tools as [ReturnType<typeof tool>, ReturnType<typeof tool>];
      const tools = [read, { ...write, native: native(format, HOUR) }];
      expect(marksIn(sent({ ...agent, tools }))).toEqual(['tools.1 1h']);
      expect(marksIn(sent({ ...agent, native: native(format) }))).toEqual([' 5m']);
    }
  });

  test('chat completions mark whole messages, system messages, tools and their results', () => {
    const chat = native('openai-chat', HOUR);
    const messages: Message[] = [
      { role: 'system', content: 'Be brief.', native: chat },
      { role: 'user', content: 'Read it.', native: chat },
      { role: 'assistant', content: [{ type: 'tool-call', id: 't1', name: 'read', arguments: '{}' }] },
      { role: 'user', content: [{ type: 'tool-result', id: 't1', content: 'done', native: chat }] },
    ];
    const inFunction: NativeFields = {
      format: 'openai-chat',
      fields: { function: { cache_control: EPHEMERAL } },
    };
    const input = { messages, tools: [{ ...tool('read'), native: inFunction }] };
    expect(sent(input)).toMatchObject({
      system: [{ text: 'Be brief.', cache_control: HOUR }],
      messages: [
        { content: [{ text: 'Read it.', cache_control: HOUR }] },
        {},
        { content: [{ type: 'tool_result', tool_use_id: 't1', cache_control: HOUR }] },
      ],
      tools: [{ name: 'read', cache_control: EPHEMERAL }],
    });
    expect(foreignFields({ ...agent, ...input }, 'anthropic-messages', 'anthropic')).toEqual({
      refused: [],
      dropped: [],
    });
    expect(foreignFields({ ...agent, ...input }, 'google', 'google').refused).toEqual([]);
  });

  test('more than four, or one of an hour after one of five minutes, are refused by name', () => {
    const models = new CalledModels(loadConfig({}));
    const refusalOf = (marks: readonly object[], provider = 'anthropic', own: object | null = null) => {
      const content: Part[] = marks.map((mark) => ({
        type: 'text',
        text: 'a',
        native: native('anthropic-messages', mark),
      }));
      const input: GenerationInput = {
        messages: [{ role: 'user', content }],
        maxOutputTokens: 9,
        ...(own === null ? {} : { native: native('anthropic-messages', own) }),
      };
      const call = models.find({ provider, model: 'claude-sonnet-4-5' }, input);
      if (call === null) throw new Error(provider);
      return findInputRefusal(call)?.message ?? null;
    };
    const five = Array.from({ length: 5 }, () => EPHEMERAL);
    expect(refusalOf(five)).toContain('cache_control can stand at most 4 times');
    expect(refusalOf(five.slice(1), 'anthropic', EPHEMERAL)).toContain('cache_control');
    expect(refusalOf(five.slice(1))).toBeNull();
    expect(refusalOf(five, 'openai-chat')).toBeNull();
    expect(refusalOf([EPHEMERAL, HOUR])).toContain('cache_control with a ttl of 1h');
    expect(refusalOf([EPHEMERAL], 'anthropic', HOUR)).toContain('cache_control');
    expect(refusalOf([HOUR, EPHEMERAL], 'anthropic', EPHEMERAL)).toBeNull();
    expect(refusalOf([HOUR, HOUR])).toBeNull();
  });

  test('a shorter context keeps them where they were', () => {
    const marked: Part = { type: 'text', text: `Read it. ${LONG}`, native: native('anthropic-messages') };
    const messages: Message[] = [
      { role: 'user', content: [marked] },
      { role: 'assistant', content: 'Done.' },
      { role: 'user', content: 'And now?' },
    ];
    const { contexts, rebuild } = findContexts(messages);
    expect(contexts).toHaveLength(1);
    const shorter = rebuild(['Shorter.'], [1]);
    expect(sent({ messages: shorter, compression: { keep: 0.5 } })).toMatchObject({
      messages: [{ content: [{ type: 'text', text: 'Shorter.', cache_control: EPHEMERAL }] }, {}, {}],
    });
  });

  test('they say nothing of the question: the answer cache ignores them', () => {
    const plain: GenerationInput = { messages: [{ role: 'user', content: 'Hi' }], maxOutputTokens: 9 };
    const marked = { ...plain, native: native('anthropic-messages') };
    expect(withoutHints(marked)).toEqual(plain);
  });
});

describe("OpenAI's prompt cache", () => {
  const call = (input: Partial<GenerationInput> = {}) =>
    callOf(input, { model: 'm', promptCacheKey: 'conversation-1' });
  const responses = (input?: Partial<GenerationInput>) =>
    buildOpenAiResponseRequest(call(input), { isBackground: false, reasons: false });
  const field = (format: NativeFields['format']): Partial<GenerationInput> => ({
    native: { format, fields: { prompt_cache_key: 'mine', prompt_cache_retention: '24h' } },
  });

  test('gets the key of the conversation, and that of the client in its place', () => {
    expect(responses()).toMatchObject({ prompt_cache_key: 'conversation-1' });
    const own = { prompt_cache_key: 'mine', prompt_cache_retention: '24h' };
    expect(responses(field('openai-responses'))).toMatchObject(own);
    expect(responses(field('openai-chat'))).toMatchObject(own);
    const quirks = { promptCacheKey: 'prompt_cache_key' } as const;
    expect(buildOpenAiChatRequest(call(), quirks)).toMatchObject({ prompt_cache_key: 'conversation-1' });
    expect(buildOpenAiChatRequest(call(field('openai-responses')), quirks)).toMatchObject(own);
  });

  test('other vendors of the format get no field that they may not know', () => {
    expect(buildOpenAiChatRequest(call())).not.toHaveProperty('prompt_cache_key');
  });
});
