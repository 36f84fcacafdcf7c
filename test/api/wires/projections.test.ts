import { describe, expect, test } from '@jest/globals';
import type { UIMessageChunk } from 'ai';
import { UiProjection } from '../../../api/wires/ai-sdk-ui/project.ts';
import { foldAnswer } from '../../../api/wires/answer.ts';
import { MessageProjection, wholeMessage } from '../../../api/wires/anthropic-messages/project.ts';
import { ChatProjection, wholeChat } from '../../../api/wires/openai-chat/project.ts';
import { mapInputItems } from '../../../api/wires/openai-responses/items.ts';
import { ResponseProjection } from '../../../api/wires/openai-responses/project.ts';
import { VoidGuard } from '../../../api/wires/void-guard.ts';
import type { Projection } from '../../../api/wires/wire.ts';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';
import { callOf, endWith, RESET, START, texts, USAGE } from '../../harness/script.ts';

const ID = `gen_${'ab'.repeat(16)}`;

function logOf(...bodies: readonly (EventBody | readonly EventBody[])[]): GenerationEvent[] {
  const start: EventBody = { type: 'generation-start', generationId: ID, route: 'default', user: 'ann' };
  return [start, START, ...bodies.flat()].map((body, seq) => ({ ...body, seq, at: 1_767_225_600_000 + seq }));
}

const context = {
  generationId: ID,
  metadata: { team: 'blue' },
  input: { messages: [{ role: 'user' as const, content: 'hi' }], maxOutputTokens: 100, system: 'Be brief.' },
  origin: {
    format: 'openai-responses' as const,
    model: 'unbroken',
    store: true,
    background: false,
    previousResponseId: null,
    ownFrom: 0,
    instructionsChars: 9,
    textFormat: 'text' as const,
    parallelToolCalls: true,
    user: null,
  },
};

const PROJECTIONS: readonly (readonly [string, () => Projection<unknown>])[] = [
  ['Responses', () => new ResponseProjection(context)],
  ['chat completions', () => new ChatProjection({ model: 'm', includeUsage: true })],
  ['messages', () => new MessageProjection('m')],
  ['UI stream', () => new UiProjection({ messageId: null })],
];

const CITATION = {
  type: 'url_citation',
  url: 'https://example.com',
  title: 'T',
  start_index: 0,
  end_index: 4,
};
const REFUSED: EventBody = {
  ...endWith(),
  finishReason: 'refusal',
  refusal: { text: 'No more.' },
} as EventBody;

const LOGS: readonly (readonly [string, GenerationEvent[]])[] = [
  ['text', logOf(texts('Hel', 'lo'), endWith())],
  [
    'reasoning, text and two calls',
    logOf(
      { type: 'reasoning-delta', text: 'Hm.' },
      texts('Look:'),
      callOf(0, 'call_a', 'weather', '{"city":', '"Oslo"}'),
      callOf(1, 'call_b', 'time', '{}'),
      endWith('tool-calls'),
    ),
  ],
  ['an answer that reached its length limit', logOf(texts('Hel'), endWith('length'))],
  ['an empty answer', logOf(endWith())],
  [
    'two messages with a citation and a refusal',
    logOf(
      { type: 'text-start', part: 'message', phase: 'commentary' },
      texts('Look:'),
      { type: 'native-part', format: 'openai-responses', value: { id: 'ws_1', type: 'web_search_call' } },
      { type: 'text-start', part: 'message', phase: 'final_answer' },
      texts('\n', '\nOslo'),
      { type: 'annotation', format: 'openai-responses', value: CITATION },
      REFUSED,
    ),
  ],
];

describe.each(PROJECTIONS)('%s', (_name, project) => {
  test.each(LOGS)('folds the same log to the same frames every time: %s', (_log, events) => {
    const fold = () => {
      const projection = project();
      return events.flatMap((event) => projection.push(event));
    };
    expect(JSON.stringify(fold())).toBe(JSON.stringify(fold()));
    expect(fold().length).toBeGreaterThan(0);
  });
});

describe('Responses', () => {
  const fold = (events: readonly GenerationEvent[]) => {
    const projection = new ResponseProjection(context);
    const frames = events.flatMap((event) => projection.push(event));
    return { frames, response: projection.response() };
  };

  test('are numbered from 0 without a gap', () => {
    for (const [, events] of LOGS) {
      const { frames } = fold(events);
      expect(frames.map((frame) => frame.sequence_number)).toEqual(frames.map((_, index) => index));
    }
  });

  test('have each message with its phase, what it cites, and the refusal that ends it', () => {
    const { frames, response } = fold(LOGS.at(-1)?.[1] ?? []);
    expect(response.output).toMatchObject([
      { phase: 'commentary', content: [{ text: 'Look:' }] },
      { id: 'ws_1' },
      {
        phase: 'final_answer',
        content: [
          { text: 'Oslo', annotations: [CITATION] },
          { type: 'refusal', refusal: 'No more.' },
        ],
      },
    ]);
    const added = frames.flatMap((frame) =>
      frame.type === 'response.content_part.added' ? [[frame.output_index, frame.content_index]] : [],
    );
    expect(added).toEqual([
      [0, 0],
      [2, 0],
      [2, 1],
    ]);
  });

  test('have the compaction before the answer, and keep it where the answer starts over', () => {
    const compaction = { type: 'compaction', generationId: 'gen_2', sealed: 'ubc1_x' } as const;
    const { frames, response } = fold(logOf(compaction, texts('wrong'), RESET, texts('right'), endWith()));
    expect(frames.slice(2, 4)).toMatchObject([
      { type: 'response.output_item.added', output_index: 0, item: { type: 'compaction' } },
      {
        type: 'response.output_item.done',
        item: { encrypted_content: 'ubc1_x', id: expect.stringMatching(/^cmp_/) },
      },
    ]);
    expect(response.output).toMatchObject([
      { type: 'compaction', encrypted_content: 'ubc1_x' },
      { type: 'message', content: [{ text: 'right' }] },
    ]);
  });

  test('end voided text as incomplete and empty, and the response holds only later text', () => {
    const { frames, response } = fold(logOf(texts('wrong'), RESET, texts('right'), endWith()));
    const voided = frames.find((frame) => frame.type === 'response.output_item.done');
    expect(voided).toMatchObject({ output_index: 0, item: { status: 'incomplete', content: [] } });
    expect(response.output).toMatchObject([
      { type: 'message', status: 'completed', content: [{ type: 'output_text', text: 'right' }] },
    ]);
    const deltas = frames.filter((frame) => frame.type === 'response.output_text.delta');
    expect(new Set(deltas.map((frame) => frame.item_id)).size).toBe(2);
  });

  test.each([
    ['completed', endWith()],
    ['incomplete', endWith('length')],
    ['cancelled', { type: 'generation-cancel', attempts: 1, usage: USAGE, costMicroUsd: 0 }],
    [
      'failed',
      {
        type: 'generation-error',
        attempts: 1,
        usage: USAGE,
        costMicroUsd: 0,
        error: { code: 'all_candidates_failed', message: 'All failed.', doc: '' },
      },
    ],
  ] satisfies [string, EventBody][])('have the status %s', (status, end) => {
    const { response } = fold(logOf(texts('a'), end));
    expect(response).toMatchObject({ status, metadata: { team: 'blue' }, instructions: 'Be brief.' });
    expect(response.usage?.total_tokens).toBe(18);
  });
});

describe('chat completions', () => {
  test('carry calls by index, and usage in a separate chunk', () => {
    const projection = new ChatProjection({ model: 'm', includeUsage: true });
    const own = (LOGS[1]?.[1] ?? []).flatMap((event) => projection.push(event));
    const frames = [...own, ...projection.usageChunks([])];
    const calls = frames.flatMap((frame) => frame.choices.flatMap(({ delta }) => delta.tool_calls ?? []));
    expect(calls.map(({ index, id }) => [index, id])).toEqual([
      [0, 'call_a'],
      [0, undefined],
      [1, 'call_b'],
    ]);
    expect(frames.at(-2)?.choices[0]?.finish_reason).toBe('tool_calls');
    expect(frames.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 18 } });
    expect(
      wholeChat({ model: 'm', usesFunctions: false }, [foldAnswer(LOGS[1]?.[1] ?? [])]).choices[0]?.message
        .tool_calls,
    ).toHaveLength(2);
  });

  test('have the first call as function_call where the request had functions', () => {
    const log = LOGS[1]?.[1] ?? [];
    const projection = new ChatProjection({ model: 'm', includeUsage: false, usesFunctions: true });
    const choices = log.flatMap((event) => projection.push(event)).flatMap((frame) => frame.choices);
    const deltas = choices.flatMap(({ delta }) => delta.function_call ?? []);
    const [whole] = wholeChat({ model: 'm', usesFunctions: true }, [foldAnswer(log)]).choices;
    const called = whole?.message.function_call;
    expect(called).toEqual({ name: deltas[0]?.name, arguments: deltas.map((own) => own.arguments).join('') });
    expect(JSON.parse(called?.arguments ?? '')).toEqual(expect.any(Object));
    expect([choices.at(-1)?.finish_reason, whole?.finish_reason]).toEqual(['function_call', 'function_call']);
    expect(JSON.stringify([choices, whole])).not.toContain('tool_calls');
  });
});

describe('messages', () => {
  test('have blocks that do not overlap', () => {
    const projection = new MessageProjection('m');
    const frames = (LOGS[1]?.[1] ?? []).flatMap((event) => projection.push(event));
    const blocks = frames.flatMap((frame) =>
      frame.type === 'content_block_start' ? [[frame.index, frame.content_block.type]] : [],
    );
    expect(blocks).toEqual([
      [0, 'thinking'],
      [1, 'text'],
      [2, 'tool_use'],
      [3, 'tool_use'],
    ]);
    expect(frames.at(-1)?.type).toBe('message_stop');
    expect(wholeMessage('m', foldAnswer(LOGS[1]?.[1] ?? []))).toMatchObject({
      stop_reason: 'tool_use',
      content: [{ type: 'thinking' }, { type: 'text' }, { input: { city: 'Oslo' } }, { input: {} }],
    });
  });

  test('a 64-bit number in the arguments of a call keeps its digits in a whole answer', () => {
    const events = logOf(callOf(0, 'c', 'f', '{"id":9223372036854775807}'), endWith());
    const written = JSON.stringify(wholeMessage('m', foldAnswer(events)));
    expect(written).toContain('"input":{"id":9223372036854775807}');
  });
});

describe('messages whose calls are interleaved', () => {
  const fold = (...calls: readonly EventBody[][]) => {
    const projection = new MessageProjection('m');
    return logOf(...calls, endWith('tool-calls')).flatMap((event) => projection.push(event));
  };
  const orderOf = (frames: ReturnType<typeof fold>) =>
    frames.flatMap((frame) =>
      'index' in frame ? [`${frame.type.slice('content_block_'.length)} ${frame.index}`] : [],
    );

  test('send what belongs to a later call once the open one is whole', () => {
    const frames = fold(
      callOf(0, 'a', 'f', '{"x":'),
      callOf(1, 'b', 'g', '{"y":"}'),
      callOf(0, 'a', 'f', '"}\\""', '}'),
      callOf(1, 'b', 'g', '"}'),
    );
    expect(orderOf(frames)).toEqual([
      'start 0',
      'delta 0',
      'delta 0',
      'delta 0',
      'stop 0',
      'start 1',
      'delta 1',
      'delta 1',
      'stop 1',
    ]);
  });

  test('send a call that is never whole, and what waits behind it, at the end', () => {
    const frames = fold(callOf(0, 'a', 'f', '{"x":'), callOf(1, 'b', 'g', '{}'), texts('Done.'));
    expect(orderOf(frames)).toEqual([
      'start 0',
      'delta 0',
      'stop 0',
      'start 1',
      'delta 1',
      'stop 1',
      'start 2',
      'delta 2',
      'stop 2',
    ]);
  });

  test('cannot express a call that has more behind its whole arguments', () => {
    const more = [callOf(0, 'a', 'f', '{}'), callOf(1, 'b', 'g', '{}')];
    expect(() => fold(...more, callOf(0, 'a', 'f', '{"x":1}'))).toThrow('after its JSON object');
    expect(fold(...more, callOf(0, 'a', 'f', '\n')).at(-1)).toEqual({ type: 'message_stop' });
  });
});

describe('the UI stream', () => {
  test('has messages as parts, pages that are cited as sources, and a refusal as text', () => {
    const projection = new UiProjection({ messageId: null });
    const chunks = (LOGS.at(-1)?.[1] ?? []).flatMap((event) => [...projection.push(event)]);
    const ui: UIMessageChunk[] = chunks;
    expect(ui.filter(({ type }) => type === 'source-url')).toEqual([
      { type: 'source-url', sourceId: 'source-1', url: 'https://example.com', title: 'T' },
    ]);
    const parts = chunks.flatMap((chunk) =>
      chunk.type === 'text-delta' ? [`${chunk.id}: ${chunk.delta}`] : [],
    );
    expect(parts).toEqual(['text-0: Look:', 'text-1: Oslo', 'text-2: No more.']);
    expect(chunks.at(-1)).toMatchObject({ finishReason: 'content-filter' });
  });

  test('has only chunks that the AI SDK knows, and voids text by reset-step', () => {
    const projection = new UiProjection({ messageId: null });
    const events = logOf(texts('wrong'), RESET, texts('right'), callOf(0, 'c', 'f', '{"a":1}'), endWith());
    const chunks: UIMessageChunk[] = events.flatMap((event) => [...projection.push(event)]);
    expect(chunks.map(({ type }) => type)).toEqual([
      'start',
      'start-step',
      'text-start',
      'text-delta',
      'reset-step',
      'text-start',
      'text-delta',
      'text-end',
      'tool-input-start',
      'tool-input-delta',
      'tool-input-available',
      'finish-step',
      'finish',
    ]);
  });
});

describe('a format that cannot void', () => {
  const admit = (events: readonly GenerationEvent[], voidedBefore: number) => {
    const guard = new VoidGuard(voidedBefore);
    const { text } = foldAnswer(events.filter((event) => guard.admit(event)));
    return { text, broken: guard.broken?.code ?? null };
  };
  const events = logOf(texts('wrong'), RESET, texts('right'), endWith());
  const reset = events.findIndex((event) => event.type === 'text-reset');

  test('breaks when text that was sent becomes void', () => {
    expect(admit(events, -1)).toEqual({ text: 'wrong', broken: 'text_voided' });
  });

  test('leaves out text that was void before the client connected', () => {
    expect(admit(events, reset)).toEqual({ text: 'right', broken: null });
  });

  test('sends no text if all of it is void', () => {
    expect(admit(events, Number.POSITIVE_INFINITY)).toEqual({ text: '', broken: null });
  });
});

// https://github.com/decolua/9router/pull/3521
test('pictures that a server of chat completions sends are in its format, streamed and whole', () => {
  const value = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
  const log = logOf({ type: 'native-part', format: 'openai-chat', value }, endWith());
  const projection = new ChatProjection({ model: 'm', includeUsage: false });
  const deltas = log.flatMap((event) => projection.push(event)).map(({ choices }) => choices[0]?.delta);
  expect(deltas[0]).toMatchObject({ role: 'assistant', images: [{ ...value, index: 0 }] });
  const message = wholeChat({ model: 'm', usesFunctions: false }, [foldAnswer(log)]).choices[0]?.message;
  expect(message).toMatchObject({ content: '', images: [{ ...value, index: 0 }] });
});

test('pictures have a place in each other format, or leave a note of themselves', () => {
  const value = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } };
  const log = logOf(
    texts('Here:'),
    { type: 'native-part', format: 'openai-chat', value },
    texts('Done.'),
    endWith(),
  );
  const framesOf = (projection: Projection<unknown>) => log.flatMap((event) => projection.push(event));
  const response = new ResponseProjection(context);
  framesOf(response);
  const { output } = response.response();
  expect(output.map(({ type }) => type)).toEqual(['message', 'image_generation_call', 'message']);
  expect(output[1]).toMatchObject({ status: 'completed', result: 'iVBORw0KGgo=' });
  const items = output.map((item) => ({ ...item }) as never);
  expect(mapInputItems(items)).toContainEqual(
    expect.objectContaining({
      content: expect.arrayContaining([{ type: 'image', url: value.image_url.url }]),
    }),
  );
  const chunks = framesOf(new UiProjection({ messageId: null })) as UIMessageChunk[];
  expect(chunks).toContainEqual({ type: 'file', url: value.image_url.url, mediaType: 'image/png' });
  const note = '[The model sent a picture (image/png), for which this format has no place.]';
  const message = wholeMessage('m', foldAnswer(log));
  expect(message.content.map((block) => 'text' in block && block.text)).toEqual(['Here:', note, 'Done.']);
  const streamed = framesOf(new MessageProjection('m')).filter((frame) => Object(frame).delta?.text);
  expect(streamed.map((frame) => [Object(frame).index, Object(frame).delta.text])).toEqual([
    [0, 'Here:'],
    [1, note],
    [2, 'Done.'],
  ]);
});
