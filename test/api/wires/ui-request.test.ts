/** What `useChat` sends, as the model receives it. */
import { describe, expect, test } from '@jest/globals';
import { readUIMessageStream, type UIMessageChunk } from 'ai';
import { earlierSteps } from '../../../api/wires/ai-sdk-ui/earlier-steps.ts';
import { mapUiChat, uiChatSchema } from '../../../api/wires/ai-sdk-ui/request.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';

const config = loadConfig({});
const MODEL = 'openai/gpt-4o-mini';
const question = { type: 'text', text: 'Delete the report.' };

function inputOf(userParts: readonly object[], assistantParts?: readonly object[]) {
  const messages = [
    { id: 'm1', role: 'user', parts: userParts },
    ...(assistantParts === undefined ? [] : [{ id: 'm2', role: 'assistant', parts: assistantParts }]),
  ];
  return mapUiChat(config, uiChatSchema.parse({ id: 'c', model: MODEL, messages })).request.input;
}

describe('a tool call that a person', () => {
  const call = { type: 'tool-delete', toolCallId: 'call_1', input: { name: 'report' } };
  const questionTurn = { role: 'user', content: [question] };
  const callTurn = {
    role: 'assistant',
    content: [{ type: 'tool-call', id: 'call_1', name: 'delete', arguments: '{"name":"report"}' }],
  };
  const result = (content: string) => ({
    role: 'user',
    content: [{ type: 'tool-result', id: 'call_1', content, isError: true }],
  });

  test.each([
    ['output-denied', 'Not today.', 'Not today.'],
    ['output-denied', undefined, 'Tool call execution denied.'],
    ['approval-responded', 'Not today.', 'Not today.'],
  ])('has denied is known to the model as denied: %s, %s', (state, reason, words) => {
    const part = { ...call, state, approval: { id: 'a1', approved: false, reason } };
    expect(inputOf([question], [part])).toEqual([questionTurn, callTurn, result(words)]);
  });

  test.each([
    ['has not answered yet', 'approval-requested', undefined],
    ['has approved, and that has no result yet,', 'approval-responded', true],
  ])('%s is left out', (_what, state, approved) => {
    expect(inputOf([question], [{ ...call, state, approval: { id: 'a1', approved } }])).toEqual([
      questionTurn,
    ]);
  });
});

test('files of every type reach the model with their name', () => {
  const url = 'data:application/pdf;base64,JVBERi0xLjQK';
  const picture = 'data:image/png;base64,iVBORw0KGgo=';
  const parts = [
    { type: 'file', mediaType: 'application/pdf', filename: 'report.pdf', url },
    { type: 'file', mediaType: 'text/csv', url: 'https://example.com/a.csv' },
    { type: 'file', mediaType: 'IMAGE/PNG', filename: 'a.png', url: picture },
  ];
  expect(inputOf(parts)).toEqual([
    {
      role: 'user',
      content: [
        { type: 'file', url, name: 'report.pdf' },
        { type: 'file', url: 'https://example.com/a.csv' },
        { type: 'image', url: picture },
      ],
    },
  ]);
});

test('a page that resumes an answer after its tools gets the steps before it, and runs no tool again', async () => {
  const call = (id: string, rest: object) => ({ type: 'tool-find', toolCallId: id, input: { id }, ...rest });
  const parts = [
    { type: 'step-start' },
    { type: 'reasoning', text: 'Hm', state: 'done', providerMetadata: { unbroken: { sealed: 's1' } } },
    { type: 'text', text: 'I look.', state: 'done' },
    call('c1', { state: 'output-available', output: { found: [1] } }),
    call('c2', { state: 'output-error', errorText: 'gone' }),
    { type: 'step-start' },
    call('c3', { state: 'output-available', output: 'plain' }),
  ];
  const input = inputOf([question], parts);
  const chunks = earlierSteps(typeof input === 'string' || input === undefined ? [] : input);
  expect(chunks.map(({ type }) => type)).not.toContain('tool-input-available');
  const stream = new ReadableStream<UIMessageChunk>({
    start: (controller) => {
      for (const chunk of [{ type: 'start' } as const, ...chunks])
        controller.enqueue(chunk as UIMessageChunk);
      controller.close();
    },
  });
  let shown: readonly object[] = [];
  for await (const message of readUIMessageStream({ stream })) shown = message.parts;
  expect(JSON.parse(JSON.stringify(shown))).toMatchObject(parts);
  expect(shown).toHaveLength(parts.length);
});
