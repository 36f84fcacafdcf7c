/** The reasoning of an answer in every format, and how clients send it back. */
import { describe, expect, test } from '@jest/globals';
import { UiProjection } from '../../../api/wires/ai-sdk-ui/project.ts';
import { mapUiChat, uiChatSchema } from '../../../api/wires/ai-sdk-ui/request.ts';
import { foldAnswer } from '../../../api/wires/answer.ts';
import { MessageProjection, wholeMessage } from '../../../api/wires/anthropic-messages/project.ts';
import { mapMessagesRequest, messagesSchema } from '../../../api/wires/anthropic-messages/request.ts';
import { ChatProjection, wholeChat } from '../../../api/wires/openai-chat/project.ts';
import { chatCompletionSchema, mapChatRequest } from '../../../api/wires/openai-chat/request.ts';
import { ResponseProjection } from '../../../api/wires/openai-responses/project.ts';
import { mapResponseCreate, responseCreateSchema } from '../../../api/wires/openai-responses/request.ts';
import { withReasoning } from '../../../api/wires/with-reasoning.ts';
import type { Part } from '../../../contracts/content.ts';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';
import { coalesce, decodeEvents, encodeEvents, numberEvents } from '../../../engine/streaming/event-codec.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import { callOf, endWith, RESET, START, texts } from '../../harness/script.ts';

const ID = `gen_${'ab'.repeat(16)}`;
const config = loadConfig({});
const MODEL = 'anthropic/claude-sonnet-4-5';
const seal = (name: string) => `ubr1_${name}_1rbu`;

/** Two items, the first with two paragraphs; a hidden one; text; a signed call. */
const BODIES: readonly EventBody[] = [
  { type: 'generation-start', generationId: ID, route: 'default', user: 'ann' },
  START,
  { type: 'reasoning-delta', text: 'One' },
  { type: 'reasoning-delta', text: '\n\nTwo', part: 1 },
  { type: 'reasoning-seal', item: 0, sealed: seal('a') },
  { type: 'reasoning-delta', text: '\n\nThree', item: 1 },
  { type: 'reasoning-seal', item: 1, sealed: seal('b') },
  { type: 'reasoning-seal', item: 2, sealed: seal('c') },
  ...texts('I look.'),
  { type: 'reasoning-seal', callId: 'call_1', sealed: seal('d') },
  ...callOf(0, 'call_1', 'find', '{}'),
  endWith('tool-calls'),
];

/** As a reader gets them that is behind: from Redis, and merged. */
function logOf(bodies: readonly EventBody[] = BODIES): GenerationEvent[] {
  return coalesce(numberEvents(decodeEvents(encodeEvents(bodies)), 0, 1_767_225_600_000), 1_000);
}

test('case 12: items and parts survive the log and the merging of deltas', () => {
  const halves = BODIES.flatMap((body): EventBody[] =>
    body.type === 'reasoning-delta'
      ? [
          { ...body, text: body.text.slice(0, 1) },
          { ...body, text: body.text.slice(1) },
        ]
      : [body],
  );
  const bare = logOf(halves).map(({ seq: _seq, at: _at, from: _from, ...body }) => body);
  expect(bare).toEqual(logOf().map(({ seq: _seq, at: _at, from: _from, ...body }) => body));
});

describe('Responses', () => {
  const responseOf = (includesReasoning: boolean, events = logOf()) => {
    const origin = {
      format: 'openai-responses' as const,
      model: 'm',
      store: true,
      background: false,
      previousResponseId: null,
      ownFrom: 0,
      instructionsChars: 0,
      textFormat: 'text' as const,
      parallelToolCalls: true,
      user: null,
      includesReasoning,
    };
    const input = { messages: [], maxOutputTokens: 10 };
    const projection = new ResponseProjection({ generationId: ID, metadata: {}, input, origin });
    const frames = events.flatMap((event) => projection.push(event));
    return { frames, output: projection.response().output };
  };
  const part = (text: string) => ({ type: 'summary_text', text });

  test('have an item for each item, with its paragraphs and its encrypted content', () => {
    const { output, frames } = responseOf(true);
    expect(output).toMatchObject([
      { type: 'reasoning', summary: [part('One'), part('Two')], encrypted_content: seal('a') },
      { type: 'reasoning', summary: [part('Three')], encrypted_content: seal('b') },
      { type: 'reasoning', summary: [], encrypted_content: seal('c') },
      { type: 'message' },
      { type: 'reasoning', summary: [], encrypted_content: seal('d') },
      { type: 'function_call' },
    ]);
    const added = frames.filter(({ type }) => type === 'response.reasoning_summary_part.added');
    expect(added).toMatchObject([
      { output_index: 0, summary_index: 0 },
      { output_index: 0, summary_index: 1 },
      { output_index: 1, summary_index: 0 },
    ]);
    const done = frames.filter(({ type }) => type === 'response.output_item.done');
    expect(done.map((frame) => ('output_index' in frame ? frame.output_index : -1))).toEqual([
      0, 1, 2, 3, 4, 5,
    ]);
    expect(done[0]).toMatchObject({ item: { encrypted_content: seal('a') } });
  });

  test('have no encrypted content that the request does not include', () => {
    expect(JSON.stringify(responseOf(false))).not.toContain('ubr1_');
  });

  test('come back as they were', () => {
    const { output } = responseOf(true);
    const body = responseCreateSchema.parse({ model: MODEL, input: output });
    const { input } = mapResponseCreate(config, body, { messages: [], tools: [] }).request;
    expect(input).toEqual([{ role: 'assistant', content: PARTS }]);
  });
});

const PARTS: readonly Part[] = [
  { type: 'reasoning', text: 'One\n\nTwo', sealed: seal('a') },
  { type: 'reasoning', text: 'Three', sealed: seal('b') },
  { type: 'reasoning', text: '', sealed: seal('c') },
  { type: 'text', text: 'I look.' },
  { type: 'reasoning', text: '', sealed: seal('d') },
  { type: 'tool-call', id: 'call_1', name: 'find', arguments: '{}' },
];

test('a response that is continued has them too, each where the model had it', () => {
  const { parts } = foldAnswer(logOf());
  expect(withReasoning([PARTS[3] as Part, PARTS[5] as Part], parts)).toEqual(PARTS);
});

describe('messages', () => {
  const BLOCKS = [
    { type: 'thinking', thinking: 'One\n\nTwo', signature: seal('a') },
    { type: 'thinking', thinking: 'Three', signature: seal('b') },
    { type: 'redacted_thinking', data: seal('c') },
    { type: 'text', text: 'I look.' },
    { type: 'redacted_thinking', data: seal('d') },
    { type: 'tool_use', id: 'call_1' },
  ];

  test('have a block for each item, whole and streamed', () => {
    expect(wholeMessage('m', foldAnswer(logOf())).content).toMatchObject(BLOCKS);
    const projection = new MessageProjection('m');
    const blocks: Record<string, unknown>[] = [];
    for (const frame of logOf().flatMap((event) => projection.push(event))) {
      if (frame.type === 'content_block_start') blocks[frame.index] = { ...frame.content_block };
      if (frame.type !== 'content_block_delta') continue;
      const { type: _type, ...delta } = frame.delta;
      const block = blocks[frame.index] ?? {};
      for (const [name, value] of Object.entries(delta)) block[name] = `${block[name] ?? ''}${value}`;
    }
    expect(blocks).toMatchObject(BLOCKS);
  });

  test('come back as they were', () => {
    const { content } = wholeMessage('m', foldAnswer(logOf()));
    const body = messagesSchema.parse({
      model: MODEL,
      max_tokens: 9,
      messages: [{ role: 'assistant', content }],
    });
    const { input } = mapMessagesRequest(config, body, []).request;
    expect(input).toMatchObject([{ role: 'assistant', content: PARTS }]);
  });

  test('what the vendor signed for its own client stays as it is', () => {
    const own = { type: 'thinking', thinking: 'Mine.', signature: 'EuYB' };
    const body = messagesSchema.parse({
      model: MODEL,
      max_tokens: 9,
      messages: [{ role: 'assistant', content: [own] }],
    });
    expect(mapMessagesRequest(config, body, []).request.input).toEqual([
      {
        role: 'assistant',
        content: [expect.objectContaining({ type: 'native', value: own, isReasoning: true })],
      },
    ]);
  });
});

describe('chat completions', () => {
  const DETAILS = [seal('a'), seal('b'), seal('c')].map((data) => ({ type: 'reasoning.encrypted', data }));
  const CALL = { id: 'call_1', extra_content: { google: { thought_signature: seal('d') } } };

  test('have the text of all items, and what goes back in fields of its vendors', () => {
    const [choice] = wholeChat({ model: 'm', usesFunctions: false }, [foldAnswer(logOf())]).choices;
    const reasoning_content = 'One\n\nTwo\n\nThree';
    expect(choice?.message).toMatchObject({
      reasoning_content,
      reasoning_details: DETAILS,
      tool_calls: [CALL],
    });
    const projection = new ChatProjection({ model: 'm', includeUsage: false });
    const deltas = logOf()
      .flatMap((event) => projection.push(event))
      .flatMap(({ choices }) => choices.map(({ delta }) => delta as Record<string, never>));
    expect(deltas.map((delta) => delta['reasoning_content'] ?? '').join('')).toBe(reasoning_content);
    expect(deltas.flatMap((delta) => delta['reasoning_details'] ?? [])).toMatchObject(DETAILS);
    expect(deltas.flatMap((delta) => delta['tool_calls'] ?? [])[0]).toMatchObject(CALL);
  });

  // The schema of @ai-sdk/openai reads no part of a call without a function.
  test.each([
    [false, 'tool_calls.0.function.arguments'],
    [true, 'function_call.arguments'],
  ])('send the seal of a call that has begun beside its function (functions: %j)', (usesFunctions, path) => {
    const late = [
      ...callOf(0, 'call_1', 'find', '{}'),
      { type: 'reasoning-seal', callId: 'call_1', sealed: seal('d') } as const,
    ];
    const projection = new ChatProjection({ model: 'm', includeUsage: false, usesFunctions });
    const chunks = logOf([...BODIES.slice(0, 2), ...late]).flatMap((event) => projection.push(event));
    const { delta } = chunks[1]?.choices[0] ?? {};
    expect(delta).toHaveProperty(path, '');
    expect(JSON.stringify(delta)).toContain(seal('d'));
  });

  test('have the seal of a call in function_call, too, and take it back', () => {
    const [choice] = wholeChat({ model: 'm', usesFunctions: true }, [foldAnswer(logOf())]).choices;
    const { extra_content } = CALL;
    expect(choice?.message.function_call).toMatchObject({ extra_content });
    const body = chatCompletionSchema.parse({ model: MODEL, messages: [choice?.message] });
    const [message] = mapChatRequest(config, body).request.input ?? [];
    expect(Object(message).content).toContainEqual({ type: 'reasoning', text: '', sealed: seal('d') });
  });

  test('come back as they were, but for the place of each text', () => {
    const [choice] = wholeChat({ model: 'm', usesFunctions: false }, [foldAnswer(logOf())]).choices;
    const body = chatCompletionSchema.parse({ model: MODEL, messages: [choice?.message] });
    const [, second, third, ...rest] = PARTS;
    expect(mapChatRequest(config, body).request.input).toEqual([
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'One\n\nTwo\n\nThree', sealed: seal('a') },
          { ...second, text: '' },
          third,
          ...rest,
        ],
      },
    ]);
  });
});

test('the UI stream has a part for each item, which its client sends back with its seal', () => {
  const projection = new UiProjection({ messageId: null });
  const parts: Record<string, unknown>[] = [];
  for (const chunk of logOf().flatMap((event) => projection.push(event))) {
    if (chunk.type === 'reasoning-start') parts.push({ type: 'reasoning', text: '' });
    if (chunk.type === 'text-start') parts.push({ type: 'text', text: '' });
    const last = parts.at(-1) ?? {};
    if ('delta' in chunk) last['text'] = `${last['text']}${chunk.delta}`;
    if (chunk.type === 'reasoning-end') last['providerMetadata'] = chunk.providerMetadata;
    if (chunk.type === 'tool-input-available') {
      const { toolCallId, input, providerMetadata: callProviderMetadata } = chunk;
      parts.push({ type: 'tool-find', toolCallId, input, callProviderMetadata });
    }
  }
  Object.assign(parts.at(-1) ?? {}, { state: 'output-available', output: 'ok' });
  const body = uiChatSchema.parse({
    id: 'c',
    model: MODEL,
    messages: [{ id: 'm', role: 'assistant', parts }],
  });
  const { input } = mapUiChat(config, body).request;
  const result = { role: 'user', content: [{ type: 'tool-result', id: 'call_1', content: 'ok' }] };
  expect(input).toEqual([{ role: 'assistant', content: PARTS }, result]);
});

test('reasoning that is void is in no answer, and the next begins without a blank line', () => {
  const again: EventBody[] = [
    { type: 'reasoning-delta', text: 'New', item: 3 },
    { type: 'reasoning-seal', item: 3, sealed: seal('e') },
  ];
  const { parts } = foldAnswer(logOf([...BODIES.slice(0, -1), RESET, ...again, endWith()]));
  expect(parts).toEqual([{ type: 'reasoning', text: 'New', sealed: seal('e') }]);
});
