/** Log probabilities as the vendors send them. */
import { describe, expect, test } from '@jest/globals';
import type OpenAI from 'openai';
import { ChunkLogprobs } from '../../../engine/providers/google/logprobs.ts';
import { ChatLogprobs } from '../../../engine/providers/openai-chat/logprobs.ts';
import { readOpenAiLogprobs } from '../../../engine/providers/openai-logprobs.ts';
import { pollResponse } from '../../../engine/providers/openai-responses/poll.ts';
import type { ProviderEvent } from '../../../engine/providers/provider.ts';

const wire = (token: string, bytes: number[] | null = null) => ({
  token,
  logprob: -0.5,
  bytes,
  top_logprobs: [{ token: `${token}!`, logprob: -1, bytes: null }],
});
const own = (token: string) => ({ token, logprob: -0.5, top: [{ token: `${token}!`, logprob: -1 }] });

describe('of OpenAI', () => {
  test('keep the token, its bytes and its alternatives', () => {
    expect(readOpenAiLogprobs([wire('Hi'), wire('\\xf0', [0xf0])])).toEqual([
      own('Hi'),
      { ...own('\\xf0'), bytes: [0xf0] },
    ]);
  });

  test.each([
    ['null', null],
    ['a text', 'Hi'],
    [
      'a list of anything',
      [null, 7, { token: 'Hi' }, { token: 7, logprob: -1 }, { token: 'Hi', logprob: null }],
    ],
    ['bytes that are none', [{ ...wire('Hi'), bytes: [256] }]],
    ['a token without end', [wire('x'.repeat(5_000))]],
  ])('that are %s are none', (_what, value) => {
    expect(readOpenAiLogprobs(value)).toEqual([]);
  });

  test('have at most as many alternatives as a request may ask for', () => {
    const many = Array.from({ length: 500 }, () => ({ token: 'a', logprob: -1 }));
    expect(readOpenAiLogprobs([{ ...wire('Hi'), top_logprobs: many }])[0]?.top).toHaveLength(20);
  });

  test('of parts of a character wait for its text', () => {
    const logprobs = new ChatLogprobs();
    const chunk = (content: string, token: string) => ({
      delta: { content },
      logprobs: { content: [wire(token)], refusal: null },
    });
    expect(logprobs.take(chunk('', '\\xf0\\x9f'))).toEqual([]);
    expect(logprobs.take(chunk('🙂', '\\x99\\x82'))).toEqual([own('\\xf0\\x9f'), own('\\x99\\x82')]);
    expect(logprobs.take(chunk('!', '!'))).toEqual([own('!')]);
  });

  test('of thoughts are not those of the text', () => {
    const logprobs = new ChatLogprobs();
    const thought = {
      delta: { content: '', reasoning_content: 'Hm' },
      logprobs: { content: [wire('Hm')], refusal: null },
    };
    expect(logprobs.take(thought)).toEqual([]);
    expect(logprobs.take({ delta: { content: 'Hi' }, logprobs: null })).toEqual([]);
  });
});

test('of a response that is polled, those of the text that is not in the log yet', async () => {
  const texts = ['Light', ' is', ' fast', '.'];
  const part = {
    type: 'output_text',
    text: texts.join(''),
    annotations: [],
    logprobs: texts.map((text) => wire(text)),
  };
  const response = {
    id: 'resp_1',
    status: 'completed',
    output: [{ type: 'message', content: [part] }],
    usage: null,
  };
  const client = { responses: { retrieve: async () => response } } as unknown as OpenAI;
  const from = { responseId: 'resp_1', sequenceNumber: 3, textChars: 'Light i'.length };
  const events: ProviderEvent[] = [];
  const options = { mayBeEmpty: false, signal: new AbortController().signal };
  for await (const event of pollResponse(client, from, options)) events.push(event);
  const [text] = events.filter((event) => event.type === 'text');
  // The reader has a part of the second token.
  expect(text).toMatchObject({ text: 's fast.', logprobs: [own(' fast'), own('.')] });
});

test('of Google, the chosen tokens have the likeliest at their place, once', () => {
  const probability = (token: string, logProbability: number) => ({ token, logProbability });
  const logprobs = new ChunkLogprobs({
    logprobsResult: {
      chosenCandidates: [probability('Hi', -0.5), probability(' you', -0.1)],
      topCandidates: [{ candidates: [probability('Hi', -0.5), probability('Ho', -2)] }],
    },
  });
  expect(logprobs.take()).toEqual([
    {
      token: 'Hi',
      logprob: -0.5,
      top: [
        { token: 'Hi', logprob: -0.5 },
        { token: 'Ho', logprob: -2 },
      ],
    },
    { token: ' you', logprob: -0.1, top: [] },
  ]);
  expect(logprobs.take()).toEqual([]);
});
