import { expect, test } from '@jest/globals';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { packEvents } from '../../../engine/streaming/packed-events.ts';
import { eventsIn, type Redis } from './logs.ts';

test('a packed log has the events that were packed, with their numbers and times', async () => {
  const texts = ['a', 'grüße 👋', 'x'.repeat(40), 'y'.repeat(5_000), '', 'end'];
  const events = [
    { seq: 0, at: 1_000, type: 'generation-start' },
    ...texts.map((text, index) => ({ seq: index + 1, at: 1_000 + index * 97, type: 'text-delta', text })),
    { seq: 7, at: 900, type: 'generation-end' },
  ] as unknown as GenerationEvent[];
  const entries = packEvents(events).map(({ lastSeq, field, value }) => ({
    id: `1-${lastSeq}`,
    message: { [field]: value },
  }));
  const redis = { xRange: async () => entries } as unknown as Redis;
  expect(await eventsIn(redis, 'gen_1')).toEqual(events);
});
