import { describe, expect, test } from '@jest/globals';
import { emptyReading, fold, tokensOf } from '../../../clients/web/src/reading.ts';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';

const usage = { ...NO_USAGE, inputTokens: 3, cachedInputTokens: 4, outputTokens: 5, reasoningTokens: 6 };
const end: EventBody = {
  type: 'generation-end',
  provider: 'a',
  model: 'b',
  finishReason: 'stop',
  attempts: 1,
  cached: false,
  usage,
  costMicroUsd: 12_345,
};
const numbered = (from: number, ...bodies: EventBody[]): GenerationEvent[] =>
  bodies.map((body, index) => ({ ...body, seq: from + index, at: 0 }));
const delta = (text: string): EventBody => ({ type: 'text-delta', text });

describe('what a reader sees', () => {
  test('is the deltas joined, however they were cut into batches', () => {
    const events = numbered(0, delta('one '), delta('two '), delta('three'), end);
    const atOnce = fold(emptyReading('x'), events, 'live');
    const oneByOne = events.reduce((reading, event) => fold(reading, [event], 'live'), emptyReading('x'));
    expect(atOnce).toEqual(oneByOne);
    expect(atOnce).toMatchObject({ text: 'one two three', status: 'completed', costMicroUsd: 12_345 });
    expect(tokensOf(atOnce.usage)).toEqual({ input: 7, output: 11 });
  });

  test('shows which stretches came late, without a gap between them', () => {
    let reading = fold(emptyReading('x'), numbered(0, delta('a'), delta('b')), 'live');
    reading = fold(reading, [{ ...delta('cde'), seq: 4, from: 2, at: 0 }], 'caught-up');
    reading = fold(reading, numbered(5, delta('f')), 'live');
    expect(reading.stretches).toEqual([
      { from: 0, to: 1, kind: 'live' },
      { from: 2, to: 4, kind: 'caught-up' },
      { from: 5, to: 5, kind: 'live' },
    ]);
    expect(reading.text).toBe('abcdef');
  });

  test('has no word of what was voided, but shows that it was', () => {
    const events = numbered(0, delta('wrong'), { type: 'text-reset', reason: 'restart' }, delta('right'));
    const reading = fold(emptyReading('x'), events, 'live');
    expect(reading.text).toBe('right');
    expect(reading.stretches.map(({ kind }) => kind)).toEqual(['void', 'live']);
    expect(reading.journal.map(({ text }) => text)).toEqual(['The text so far is void']);
  });

  test('joins the pieces of each tool call', () => {
    const piece = (index: number, text: string): EventBody => ({
      type: 'tool-call-delta',
      index,
      id: `call-${index}`,
      name: `tool-${index}`,
      arguments: text,
    });
    const reading = fold(
      emptyReading('x'),
      numbered(0, piece(0, '{"a":'), piece(1, '{}'), piece(0, '1}')),
      'live',
    );
    expect(reading.toolCalls).toEqual([
      { name: 'tool-0', arguments: '{"a":1}' },
      { name: 'tool-1', arguments: '{}' },
    ]);
  });

  test('passes over events that it does not know', () => {
    const unknown = JSON.parse('{"type":"something-new","seq":1,"at":0}');
    const reading = fold(emptyReading('x'), [...numbered(0, delta('a')), unknown], 'live');
    expect(reading).toMatchObject({ text: 'a', lastSeq: 1, status: 'running' });
  });
});
