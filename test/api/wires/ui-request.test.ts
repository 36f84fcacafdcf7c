/** What `useChat` sends, as the model receives it. */
import { describe, expect, test } from '@jest/globals';
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
