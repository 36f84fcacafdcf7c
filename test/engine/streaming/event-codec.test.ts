import { expect, test } from '@jest/globals';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';
import { textOf } from '../../../contracts/fold-events.ts';
import { coalesce, decodeEvents, encodeEvents, numberEvents } from '../../../engine/streaming/event-codec.ts';

const bodies: EventBody[] = [
  { type: 'generation-start', generationId: 'gen_1', route: 'default', user: 'ann' },
  { type: 'text-delta', text: 'Ein "Wort"\n' },
  { type: 'text-delta', text: '' },
  { type: 'text-delta', text: '🌍 ü' },
  { type: 'reasoning-delta', text: 'hm' },
  { type: 'text-delta', text: 'after' },
  { type: 'text-reset', reason: 'restart' },
  { type: 'text-delta', text: 'new' },
];

const withLogprobs = (text: string): EventBody => ({
  type: 'text-delta',
  text,
  logprobs: [{ token: text, logprob: -0.5, top: [{ token: text, logprob: -0.5 }] }],
});

const MOST_CHARS = 1_000;

test('what is encoded is decoded the same, event by event', () => {
  expect(decodeEvents(encodeEvents(bodies))).toEqual(bodies);
  expect(decodeEvents(encodeEvents([]))).toEqual([]);
});

test('log probabilities stay with the text of their delta', () => {
  const plain: EventBody = { type: 'text-delta', text: 'x' };
  const mixed = [plain, withLogprobs('a'), withLogprobs('b'), plain, plain, withLogprobs('c')];
  expect(decodeEvents(encodeEvents(mixed))).toEqual(mixed);
  const merged = coalesce(numberEvents(mixed, 0, 7), MOST_CHARS);
  expect(merged.map((event) => ('text' in event ? event.text : ''))).toEqual(['x', 'a', 'b', 'xx', 'c']);
  expect(merged.filter((event) => 'logprobs' in event)).toHaveLength(3);
});

test('a run of deltas costs one object', () => {
  const run: EventBody[] = Array.from({ length: 100 }, () => ({ type: 'text-delta', text: 'x' }));
  expect(JSON.parse(encodeEvents(run))).toHaveLength(1);
});

test('coalescing keeps the text and says which seqs each delta covers', () => {
  const events = numberEvents(bodies, 10, 7);
  const merged = coalesce(events, MOST_CHARS);
  expect(textOf(merged)).toBe(textOf(events));
  expect(merged.map((event) => event.type)).toEqual([
    'generation-start',
    'text-delta',
    'reasoning-delta',
    'text-delta',
    'text-reset',
    'text-delta',
  ]);
  expect(merged[1]).toEqual({ type: 'text-delta', text: 'Ein "Wort"\n🌍 ü', from: 11, seq: 13, at: 7 });
  expect(covered(merged)).toEqual(events.map((event) => event.seq));
});

test('a delta that is coalesced again still says the first seq that it covers', () => {
  const events = numberEvents(bodies.slice(1, 4), 1, 0);
  const twice = coalesce([...coalesce(events.slice(0, 2), MOST_CHARS), ...events.slice(2)], MOST_CHARS);
  expect(twice).toEqual(coalesce(events, MOST_CHARS));
  expect(twice[0]?.from).toBe(1);
});

function covered(events: readonly GenerationEvent[]): number[] {
  return events.flatMap((event) => {
    const first = event.from ?? event.seq;
    return Array.from({ length: event.seq - first + 1 }, (_, index) => first + index);
  });
}

test('a merged delta grows no further than its limit, and nothing is lost', () => {
  const events = numberEvents(
    Array.from({ length: 10 }, (_, index) => ({ type: 'text-delta' as const, text: `${index}`.repeat(4) })),
    0,
    1,
  );
  const merged = coalesce(events, 10);
  expect(merged.map((event) => [event.from ?? event.seq, event.seq])).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
    [6, 7],
    [8, 9],
  ]);
  expect(textOf(merged)).toBe(textOf(events));
});
