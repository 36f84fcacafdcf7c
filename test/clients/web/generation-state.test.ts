import { describe, expect, test } from '@jest/globals';
import { foldEvents, initialState } from '../../../clients/web/src/generation-state.ts';
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

describe('the state that the page shows', () => {
  test('is the same for every way to batch the deltas', () => {
    const events = numbered(0, delta('one '), delta('two '), delta('three'), end);
    const atOnce = foldEvents(initialState('x'), events, 'live');
    const oneByOne = events.reduce((state, event) => foldEvents(state, [event], 'live'), initialState('x'));
    expect(atOnce).toEqual(oneByOne);
    expect(atOnce).toMatchObject({ text: 'one two three', status: 'completed', costMicroUsd: 12_345 });
  });

  test('shows which events came late, without a gap between stretches', () => {
    let state = foldEvents(initialState('x'), numbered(0, delta('a'), delta('b')), 'live');
    state = foldEvents(state, [{ ...delta('cde'), seq: 4, from: 2, at: 0 }], 'caught-up');
    state = foldEvents(state, numbered(5, delta('f')), 'live');
    expect(state.stretches).toEqual([
      { from: 0, to: 1, kind: 'live' },
      { from: 2, to: 4, kind: 'caught-up' },
      { from: 5, to: 5, kind: 'live' },
    ]);
    expect(state.text).toBe('abcdef');
  });

  test('drops voided text, and shows that it was voided', () => {
    const events = numbered(0, delta('wrong'), { type: 'text-reset', reason: 'restart' }, delta('right'));
    const state = foldEvents(initialState('x'), events, 'live');
    expect(state.text).toBe('right');
    expect(state.stretches.map(({ kind }) => kind)).toEqual(['void', 'live']);
    expect(state.journal.map(({ text }) => text)).toEqual(['The text so far is void']);
  });

  test('joins the deltas of each tool call', () => {
    const callDelta = (index: number, text: string): EventBody => ({
      type: 'tool-call-delta',
      index,
      id: `call-${index}`,
      name: `tool-${index}`,
      arguments: text,
    });
    const state = foldEvents(
      initialState('x'),
      numbered(0, callDelta(0, '{"a":'), callDelta(1, '{}'), callDelta(0, '1}')),
      'live',
    );
    expect(state.toolCalls).toEqual([
      { id: 'call-0', name: 'tool-0', arguments: '{"a":1}' },
      { id: 'call-1', name: 'tool-1', arguments: '{}' },
    ]);
  });

  test('passes over events that it does not know', () => {
    const unknown = JSON.parse('{"type":"something-new","seq":1,"at":0}');
    const state = foldEvents(initialState('x'), [...numbered(0, delta('a')), unknown], 'live');
    expect(state).toMatchObject({ text: 'a', lastSeq: 1, status: 'running' });
  });
});
