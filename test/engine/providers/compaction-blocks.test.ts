/**
 * Claude summarises earlier turns within an answer: https://github.com/anthropics/anthropic-sdk-python/pull/1830,
 * https://github.com/NVIDIA/NeMo-Relay/pull/1035, https://github.com/maximhq/bifrost/issues/6501,
 * https://github.com/pydantic/pydantic-ai/issues/5065.
 */

import type { RawMessageStreamEvent } from '@anthropic-ai/sdk/resources/messages';
import { expect, test } from '@jest/globals';
import { mapAnthropicStream } from '../../../engine/providers/anthropic-messages/stream.ts';
import { mapAnthropicUsage } from '../../../engine/providers/anthropic-messages/usage.ts';
import { eventsOfMessage } from '../../../engine/providers/anthropic-messages/whole-message.ts';
import type { ProviderEvent } from '../../../engine/providers/provider.ts';
import { callOf } from './hear.ts';

const USAGE = {
  input_tokens: 23_000,
  cache_read_input_tokens: 400,
  output_tokens: 1_000,
  iterations: [
    {
      type: 'compaction',
      input_tokens: 100_000,
      cache_read_input_tokens: 80_000,
      cache_creation_input_tokens: 50,
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 30 },
      output_tokens: 3_500,
    },
    { type: 'message', input_tokens: 23_000, cache_read_input_tokens: 400, output_tokens: 1_000 },
  ],
};

async function heard(deltas: readonly object[], stop_reason = 'compaction'): Promise<ProviderEvent[]> {
  const events = [
    { type: 'message_start', message: { usage: { input_tokens: 1, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'compaction', signature: 'S' } },
    ...deltas.map((delta) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'compaction_delta', ...delta },
    })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason }, usage: USAGE },
    { type: 'message_stop' },
  ];
  const stream = (async function* () {
    yield* events as unknown as RawMessageStreamEvent[];
  })();
  const all: ProviderEvent[] = [];
  for await (const event of mapAnthropicStream(stream, callOf({}))) all.push(event);
  return all;
}

test.each([
  [
    'whole',
    [{ content: 'Summary.', encrypted_content: 'E' }],
    { content: 'Summary.', encrypted_content: 'E' },
  ],
  ['in parts', [{ content: 'Sum', encrypted_content: 'E' }, { content: 'mary.' }], { content: 'Summary.' }],
  [
    'repeated',
    [{ content: 'Sum' }, { content: 'Summary.', encrypted_content: null }],
    { content: 'Summary.' },
  ],
  ['not written', [{ content: null }], { content: null }],
])('a summary that comes %s is kept as a block', async (_, deltas, block) => {
  const parts = (await heard(deltas)).filter(({ type }) => type === 'native-part');
  expect(parts).toMatchObject([{ value: { type: 'compaction', signature: 'S', ...block } }]);
});

test('a pause behind a summary is known as such', async () => {
  const end = (await heard([{ content: 'Summary.' }])).at(-1);
  expect(end).toMatchObject({ type: 'finish', reason: 'pause', vendorReason: 'compaction' });
});

test('the tokens of the summary are billed: they are not among those of the message', () => {
  expect(mapAnthropicUsage(null, USAGE)).toEqual({
    inputTokens: 123_000,
    cachedInputTokens: 80_400,
    cacheWriteTokens: 50,
    cacheWriteHourTokens: 30,
    outputTokens: 4_500,
    reasoningTokens: 0,
    estimated: false,
  });
});

test.each([null, {}, 'x', [null, 1, { type: 'compaction' }]])(
  'odd iterations count nothing: %j',
  (iterations) => {
    expect(mapAnthropicUsage(null, { input_tokens: 2, output_tokens: 1, iterations })).toMatchObject({
      inputTokens: 2,
      outputTokens: 1,
    });
  },
);

test.each(['streamed', 'whole'])(
  'what was left out of the conversation is part of the end (%s)',
  async (form) => {
    const edits = [{ type: 'clear_tool_uses_20250919', cleared_tool_uses: 3, cleared_input_tokens: 9_000 }];
    const context_management = { applied_edits: edits };
    const content = [{ type: 'text', text: 'Hi' }];
    const message = { content, usage: USAGE, stop_reason: 'end_turn', context_management };
    const streamed = [
      { type: 'message_start', message: { usage: USAGE } },
      { type: 'content_block_start', index: 0, content_block: content[0] },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: USAGE, context_management },
      { type: 'message_stop' },
    ];
    const stream = (async function* () {
      yield* form === 'whole' ? eventsOfMessage(message as never) : (streamed as never[]);
    })();
    const all: ProviderEvent[] = [];
    for await (const event of mapAnthropicStream(stream, callOf({}))) all.push(event);
    expect(all.at(-1)).toMatchObject({ type: 'finish', reason: 'stop', appliedEdits: edits });
  },
);
