import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { eventsInEntry } from '../../../engine/streaming/log-entry.ts';
import { packEvents } from '../../../engine/streaming/packed-events.ts';
import { END } from './log-stand.ts';

/** Half characters are stored as they are: a provider may cut a pair in two. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\ud83d', '\ude00', '(', ''),
);
const place = fc.option(fc.nat(3), { nil: undefined });
const body: fc.Arbitrary<EventBody> = fc.oneof(
  text.map((delta): EventBody => ({ type: 'text-delta', text: delta })),
  fc.tuple(text, place, place).map(
    ([delta, item, part]): EventBody => ({
      type: 'reasoning-delta',
      text: delta,
      ...(item === undefined ? {} : { item }),
      ...(part === undefined ? {} : { part }),
    }),
  ),
  text.map(
    (token): EventBody => ({ type: 'text-delta', text: token, logprobs: [{ token, logprob: -1, top: [] }] }),
  ),
  fc.constant<EventBody>({ type: 'text-reset', reason: 'restart' }),
  fc.constant<EventBody>(END),
);
const step = fc.oneof(fc.constant(0), fc.integer({ min: -5, max: 100 }), fc.integer({ min: -1e9, max: 1e9 }));

function unpack(events: readonly GenerationEvent[]): GenerationEvent[] {
  return packEvents(events).flatMap(({ lastSeq, field, value }) =>
    eventsInEntry(`1-${lastSeq}`, { [field]: value }),
  );
}

test('packed events are the same events, to the letter, under the same numbers and times', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(body, step), { maxLength: 60 }), fc.nat(1_000), (written, firstSeq) => {
      let at = 1_700_000_000_000;
      const events = written.map(([event, ms], index): GenerationEvent => {
        at += ms;
        return { seq: firstSeq + index, at, ...event };
      });
      expect(JSON.stringify(unpack(events))).toBe(JSON.stringify(events));
    }),
  );
});

const WORDS =
  'The quick brown fox jumps over a lazy dog while seven wizards brew strong coffee near their old mill'.split(
    ' ',
  );

function answerOf(tokens: number): GenerationEvent[] {
  return Array.from({ length: tokens }, (_, seq) => ({
    seq,
    at: 1_700_000_000_000 + seq * 20 + ((seq * 7) % 3),
    type: 'text-delta',
    text: ` ${WORDS[(seq * seq * 31 + seq) % WORDS.length]}`,
  }));
}

test('a packed answer is no larger than its text', () => {
  const events = answerOf(300);
  const [entry, ...more] = packEvents(events);
  expect(more).toEqual([]);
  expect(entry?.value.length).toBeLessThan(
    events.map((event) => ('text' in event ? event.text : '')).join('').length,
  );
});

test('no entry has more events than one read takes, or much more text than an entry should have', () => {
  const entries = packEvents(answerOf(2_000));
  let before = -1;
  for (const { lastSeq } of entries) {
    expect(lastSeq - before).toBeLessThanOrEqual(LIMITS.eventsPerAppend);
    before = lastSeq;
  }
  expect(before).toBe(1_999);
  const large = answerOf(10).map((event) => ({ ...event, text: 'x'.repeat(40_000) }) as GenerationEvent);
  expect(packEvents(large)).toHaveLength(5);
  expect(unpack(large)).toEqual(large);
});
