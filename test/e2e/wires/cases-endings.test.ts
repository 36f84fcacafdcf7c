/**
 * What users of other gateways have reported about ends of answers, tool calls and citations, asked of this one: each
 * case by its number. The upstream plays recorded answers of each vendor.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type FixtureServer,
  readFixture,
  startFixtureServer,
} from '../../engine/providers/fixture-server.ts';
import { type Json, RecordedAnswers } from '../../harness/ask-recorded.ts';
import { startReading } from '../../harness/reader.ts';
import { type Stack, startStack } from '../../harness/stack.ts';

let upstream: FixtureServer;
let stack: Stack;
let recorded: RecordedAnswers;
beforeAll(async () => {
  upstream = await startFixtureServer();
  const { url } = upstream;
  stack = await startStack({
    config: {
      providers: {
        'openai-chat': { wire: 'openai-chat', baseUrl: `${url}/v1` },
        'openai-responses': { wire: 'openai-responses', baseUrl: `${url}/v1` },
        'anthropic-messages': { wire: 'anthropic-messages', baseUrl: url },
        google: { wire: 'google', baseUrl: url },
        cohere: { wire: 'cohere', baseUrl: url },
      },
      routes: {
        default: ['simulated/sim-large'],
        refusing: { candidates: ['openai-chat/m', 'simulated/sim-large'], onContentPolicy: 'fall-back' },
        alone: { candidates: ['openai-chat/m'], onContentPolicy: 'fall-back' },
      },
    },
  });
  recorded = new RecordedAnswers(stack, upstream);
});
afterAll(async () => {
  await stack?.stop();
  await upstream?.stop();
});
beforeEach(() => {
  upstream.requests.length = 0;
});

const typesOf = (events: readonly Json[]) => events.map(({ type }) => type);
const SORRY = "I'm sorry, I can't help with that.";
const USED = { prompt_tokens: 81, completion_tokens: 11 };

describe('a refusal', () => {
  const OPENAI = ['openai-chat', 'openai-responses'] as const;

  test.each(OPENAI)('case 40: of %s has its words in every format, and is paid once', async (wire) => {
    const chat = await recorded.whole('chat', [wire, 'refusal']);
    expect(chat.status).toBe(200);
    expect(chat.body).toMatchObject({
      choices: [{ message: { content: null, refusal: SORRY }, finish_reason: 'stop' }],
      usage: USED,
    });
    expect(chat.headers.get('x-unbroken-attempts')).toBe('1');
    const responses = await recorded.whole('responses', [wire, 'refusal']);
    expect(responses.body).toMatchObject({
      status: 'completed',
      output: [{ type: 'message', content: [{ type: 'refusal', refusal: SORRY }] }],
      usage: { output_tokens: 11 },
    });
    const messages = await recorded.whole('messages', [wire, 'refusal']);
    expect(messages.body).toMatchObject({
      content: [],
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: null, explanation: SORRY },
    });
    expect(upstream.requests).toHaveLength(3);
  });

  test.each(OPENAI)('case 40: of %s streams as each vendor streams it', async (wire) => {
    const chat = await recorded.streamed('chat', [wire, 'refusal'], {
      stream_options: { include_usage: true },
    });
    const deltas = chat.events.flatMap(({ choices }) => choices as { delta: Json; finish_reason: unknown }[]);
    expect(deltas.map(({ delta }) => delta['refusal'] ?? '').join('')).toBe(SORRY);
    expect(deltas.at(-1)?.finish_reason).toBe('stop');
    expect(chat.events.at(-1)).toMatchObject({ usage: USED });
    const responses = await recorded.streamed('responses', [wire, 'refusal']);
    expect(responses.events).toContainEqual(
      expect.objectContaining({ type: 'response.refusal.done', refusal: SORRY }),
    );
    expect(responses.events.at(-1)?.['type']).toBe('response.completed');
    const messages = await recorded.streamed('messages', [wire, 'refusal']);
    expect(messages.events.at(-2)).toMatchObject({ delta: { stop_reason: 'refusal' } });
    expect(messages.events.at(-1)).toEqual({ type: 'message_stop' });
  });

  test('case 40: of Anthropic keeps the text before it, and its category', async () => {
    const messages = await recorded.whole('messages', ['anthropic-messages', 'refusal-explained']);
    const details = { type: 'refusal', category: 'cyber', explanation: 'This could enable harm.' };
    expect(messages.body).toMatchObject({
      content: [{ type: 'text', text: 'Once' }],
      stop_reason: 'refusal',
      stop_details: details,
      usage: { output_tokens: 5 },
    });
    const chat = await recorded.whole('chat', ['anthropic-messages', 'refusal-explained']);
    expect(chat.body).toMatchObject({
      choices: [{ message: { content: 'Once', refusal: 'This could enable harm.' }, finish_reason: 'stop' }],
    });
    const responses = await recorded.whole('responses', ['anthropic-messages', 'refusal-explained']);
    expect(responses.body).toMatchObject({ output: [{ content: [{ text: 'Once' }, { type: 'refusal' }] }] });
  });

  test.each([
    ['openai-chat', 'filtered', 'Once upon'],
    ['openai-responses', 'filtered', 'Once upon'],
    ['anthropic-messages', 'filtered', 'Once'],
    ['google', 'filtered', 'Once'],
    ['google', 'prompt-blocked', ''],
    ['cohere', 'filtered-lower-case', 'Hi'],
  ])('case 40: a filter (%s, %s) ends an answer, and keeps its text', async (wire, fixture, text) => {
    const chat = await recorded.whole('chat', [wire, fixture]);
    expect(chat.body).toMatchObject({
      choices: [{ message: { content: text, refusal: null }, finish_reason: 'content_filter' }],
    });
    const responses = await recorded.whole('responses', [wire, fixture]);
    expect(responses.body).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'content_filter' },
    });
    expect((await recorded.whole('messages', [wire, fixture])).body).toMatchObject({
      stop_reason: 'refusal',
    });
    expect(upstream.requests).toHaveLength(3);
  });

  test('on a route that falls back is answered by the next model, and by none if there is none', async () => {
    upstream.play(readFixture('openai-chat', 'refusal'));
    const word = { messages: [{ role: 'user', content: 'Say a word. [[sim tokens=2 delay_ms=0]]' }] };
    const next = (await (await recorded.post('chat', 'unbroken/refusing', word)).json()) as Json;
    expect(next).toMatchObject({ model: 'simulated/sim-large', choices: [{ message: { refusal: null } }] });
    const alone = (await (await recorded.post('chat', 'unbroken/alone', {})).json()) as Json;
    expect(alone).toMatchObject({ choices: [{ message: { refusal: SORRY } }] });
  });

  test('is in the view of the generation, and is not stored in the cache', async () => {
    upstream.play(readFixture('openai-chat', 'refusal'));
    const input = `Refuse ${crypto.randomUUID()}`;
    for (const _ of [1, 2]) {
      const { body } = await stack.api.create({ input, model: 'openai-chat/m' });
      await startReading(stack.api, body.id).whole;
      const view = await stack.api.view(body.id);
      expect(view.body).toMatchObject({
        status: 'completed',
        finishReason: 'refusal',
        refusal: { text: SORRY },
        cached: false,
      });
    }
    expect(upstream.requests).toHaveLength(2);
  });
});

describe('how an answer ended', () => {
  test('a stop sequence is named where the vendor names it', async () => {
    const { body } = await recorded.whole('messages', ['anthropic-messages', 'stop-sequence'], {
      stop_sequences: ['END'],
    });
    expect(body).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: 'END' });
    const { events } = await recorded.streamed('messages', ['anthropic-messages', 'stop-sequence']);
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'stop_sequence', stop_sequence: 'END' } });
    const chat = await recorded.whole('chat', ['anthropic-messages', 'stop-sequence']);
    expect(chat.body).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
  });

  test('a full context window is named in the format that has a word for it', async () => {
    const { body } = await recorded.whole('messages', ['anthropic-messages', 'window-full']);
    expect(body).toMatchObject({ stop_reason: 'model_context_window_exceeded' });
    const chat = await recorded.whole('chat', ['anthropic-messages', 'window-full']);
    expect(chat.body).toMatchObject({ choices: [{ finish_reason: 'length' }] });
  });

  test.each(['whole', 'streamed'])(
    "a paused turn has the vendor's blocks and citations (%s)",
    async (way) => {
      const fixture = ['anthropic-messages', 'server-tool'] as const;
      if (way === 'whole') {
        const { body } = await recorded.whole('messages', fixture);
        expect(body).toMatchObject({
          stop_reason: 'pause_turn',
          content: [
            { type: 'server_tool_use', input: { query: 'claude shannon' } },
            { type: 'web_search_tool_result', content: [{ type: 'web_search_result' }] },
            { type: 'text', text: 'Shannon was born ' },
            { type: 'text', text: 'in 1916', citations: [{ type: 'web_search_result_location' }] },
          ],
        });
        return;
      }
      const { events } = await recorded.streamed('messages', fixture);
      const deltas = events.flatMap(({ delta }) => (delta ? [(delta as Json)['type']] : []));
      expect(deltas).toContain('citations_delta');
      expect(typesOf(events).filter((type) => type === 'content_block_start')).toHaveLength(4);
      expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'pause_turn' } });
    },
  );

  test.each([
    ['google', 'call-with-unknown-reason', 'tool_calls'],
    ['google', 'unknown-reason', 'stop'],
    ['cohere', 'unknown-reason', 'stop'],
    ['openai-chat', 'unknown-reason', 'stop'],
  ])('a reason that is not known (%s, %s) is an end, and not asked again', async (wire, fixture, reason) => {
    const { body } = await recorded.whole('chat', [wire, fixture]);
    expect(body).toMatchObject({ choices: [{ finish_reason: reason }] });
    expect(upstream.requests).toHaveLength(1);
  });

  const result = [
    { role: 'user', content: 'Look.' },
    {
      role: 'assistant',
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'lookup', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: 'done' },
  ];
  test.each(['openai-chat', 'openai-responses', 'anthropic-messages', 'google', 'cohere'])(
    'nothing to add to the result of a tool is an empty answer, asked once (%s)',
    async (wire) => {
      const { status, body } = await recorded.whole('chat', [wire, 'empty'], { messages: result });
      expect(status).toBe(200);
      expect(body).toMatchObject({ choices: [{ message: { content: '' }, finish_reason: 'stop' }] });
      expect(upstream.requests).toHaveLength(1);
    },
  );

  test.each(['openai-chat', 'openai-responses', 'anthropic-messages', 'google', 'cohere'])(
    'case 3: a cap that went to thoughts is one call, with the status of each format (%s)',
    async (wire) => {
      const fixture = [wire, 'thoughts-only'] as const;
      const chat = await recorded.whole('chat', fixture);
      expect(chat.body).toMatchObject({ choices: [{ message: { content: '' }, finish_reason: 'length' }] });
      const messages = await recorded.whole('messages', fixture);
      expect(messages.body).toMatchObject({ stop_reason: 'max_tokens' });
      const responses = await recorded.whole('responses', fixture);
      expect(responses.body).toMatchObject({
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
      });
      expect((await recorded.streamed('chat', fixture)).text).toContain('"finish_reason":"length"');
      expect((await recorded.streamed('messages', fixture)).text).toContain('"stop_reason":"max_tokens"');
      expect((await recorded.streamed('responses', fixture)).events.at(-1)?.['type']).toBe(
        'response.incomplete',
      );
      expect(upstream.requests).toHaveLength(6);
    },
  );
});

describe('several messages of one answer', () => {
  const fixture = ['openai-responses', 'messages'] as const;
  const citation = { start_index: 0, end_index: 10, title: 'Boats', url: 'https://example.com/boats' };

  test('are apart in Responses, with their phases, citations and the items between them', async () => {
    const { body } = await recorded.whole('responses', fixture);
    expect(body['output']).toMatchObject([
      { type: 'message', phase: 'commentary', content: [{ text: 'I look it up.' }] },
      { type: 'web_search_call', id: 'ws_67c9' },
      {
        type: 'message',
        phase: 'final_answer',
        content: [{ text: 'Two boats.', annotations: [{ type: 'url_citation', ...citation }] }],
      },
    ]);
    const { events } = await recorded.streamed('responses', fixture);
    expect(typesOf(events)).toContain('response.output_text.annotation.added');
    const items = events.flatMap(({ type, item }) =>
      type === 'response.output_item.done' ? [(item as Json)['phase'] ?? null] : [],
    );
    expect(items).toEqual(['commentary', null, 'final_answer']);
  });

  test('go back to the model as they were when a response is chained', async () => {
    const first = await recorded.whole('responses', fixture);
    await recorded.whole('responses', fixture, { previous_response_id: first.body['id'] });
    expect((upstream.requests.at(-1)?.body as { input: Json[] } | undefined)?.input).toMatchObject([
      { role: 'user' },
      { role: 'assistant', phase: 'commentary' },
      { type: 'web_search_call' },
      { role: 'assistant', phase: 'final_answer' },
      { role: 'user' },
    ]);
  });

  test('are one text with a blank line in chat, whose citations point to the right place', async () => {
    const { body } = await recorded.whole('chat', fixture);
    const shifted = { ...citation, start_index: 15, end_index: 25 };
    expect(body).toMatchObject({
      choices: [
        {
          message: {
            content: 'I look it up.\n\nTwo boats.',
            annotations: [{ type: 'url_citation', url_citation: shifted }],
          },
        },
      ],
    });
    expect('I look it up.\n\nTwo boats.'.slice(15, 25)).toBe('Two boats.');
    const { text } = await recorded.streamed('chat', fixture);
    expect(text).toContain(JSON.stringify({ type: 'url_citation', url_citation: shifted }).slice(0, 40));
    expect((await recorded.whole('messages', fixture)).body['content']).toMatchObject([
      { text: 'I look it up.' },
      { text: '\n\nTwo boats.' },
    ]);
  });

  test('have a citation of chat completions as one of Responses', async () => {
    const { body } = await recorded.whole('responses', ['openai-chat', 'citations']);
    expect(body['output']).toMatchObject([
      { content: [{ annotations: [{ type: 'url_citation', ...citation }] }] },
    ]);
  });
});

describe('tool calls', () => {
  const inputsOf = (events: readonly Json[]) => {
    const inputs = new Map<unknown, string>();
    for (const { type, index, delta } of events) {
      if (type === 'content_block_start') inputs.set(index, '');
      const written = (delta as Json | undefined)?.['partial_json'];
      if (typeof written === 'string') inputs.set(index, `${inputs.get(index) ?? ''}${written}`);
    }
    return [...inputs.values()].map((json) => JSON.parse(json) as unknown);
  };
  const paris = { location: 'Paris, France' };
  const bogota = { location: 'Bogotá' };
  const cases = [
    ['case 8 and 42: interleaved by index', ['openai-chat', 'tools-interleaved'], [paris, bogota]],
    ['case 34: all of index 0', ['openai-chat', 'tools-streamed-same-place'], [paris, bogota]],
    ['case 34: without an index', ['openai-chat', 'tools-streamed-without-place'], [paris, bogota]],
    [
      'case 8: the first without arguments',
      ['anthropic-messages', 'first-call-without-arguments'],
      [{}, paris],
    ],
  ] as const;

  test.each(cases)('%s: each has its arguments in every format', async (_name, fixture, inputs) => {
    const { events } = await recorded.streamed('messages', fixture);
    expect(inputsOf(events)).toEqual(inputs);
    const blocks = typesOf(events).filter((type) => String(type).startsWith('content_block_st'));
    expect(blocks).toEqual(inputs.flatMap(() => ['content_block_start', 'content_block_stop']));
    expect(events.at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } });
    expect(events.at(-1)).toEqual({ type: 'message_stop' });
    expect((await recorded.whole('messages', fixture)).body['content']).toMatchObject(
      inputs.map((input) => ({ input })),
    );
    const chat = (await recorded.whole('chat', fixture)).body as {
      choices: { message: { tool_calls: { function: { arguments: string } }[] } }[];
    };
    const calls = chat.choices[0]?.message.tool_calls ?? [];
    expect(calls.map((call) => JSON.parse(call.function.arguments) as unknown)).toEqual(inputs);
    const responses = (await recorded.whole('responses', fixture)).body as {
      output: { arguments: string }[];
    };
    expect(responses.output.map((item) => JSON.parse(item.arguments) as unknown)).toEqual(inputs);
  });

  const historyOf = (written: string) => [
    { role: 'user', content: 'Look.' },
    {
      role: 'assistant',
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'lookup', arguments: written } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: 'done' },
  ];

  test.each(['openai-chat', 'openai-responses', 'anthropic-messages'])(
    'case 28: empty arguments in the history are an empty object (%s)',
    async (wire) => {
      const { status } = await recorded.whole('chat', [wire, 'plain'], { messages: historyOf('') });
      expect(status).toBe(200);
      expect(JSON.stringify(upstream.requests.at(-1)?.body)).toMatch(/"(arguments":"\{\}"|input":\{\})/);
    },
  );

  test.each(['openai-chat', 'openai-responses', 'anthropic-messages'])(
    'case 28: arguments that are no JSON reach the vendor within an object (%s)',
    async (wire) => {
      const { status } = await recorded.whole('chat', [wire, 'plain'], { messages: historyOf('{"a":') });
      expect(status).toBe(200);
      expect(JSON.stringify(upstream.requests.at(-1)?.body)).toContain('INVALID_JSON');
      const call = { type: 'function_call', call_id: 'c1', name: 'lookup', arguments: '{"a":' };
      const result = { type: 'function_call_output', call_id: 'c1', output: 'done' };
      const responses = await recorded.whole('responses', [wire, 'plain'], {
        input: [{ role: 'user', content: 'Look.' }, call, result],
      });
      expect(responses.status).toBe(200);
      expect(JSON.stringify(upstream.requests.at(-1)?.body)).toContain('INVALID_JSON');
    },
  );
});
