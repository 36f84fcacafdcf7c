import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RunningStreams } from '../../activities/attempt/running-streams.ts';
import { BegunGenerations } from '../../activities/begin-generation.ts';
import { type AttemptStand, startAttemptStand } from './attempt/attempt-stand.ts';

let stand: AttemptStand;
beforeAll(async () => {
  stand = await startAttemptStand(['openai-chat']);
});
afterAll(() => stand?.stop());

test('a beginning whose log was opened with a later clock continues as an activity, and is not refused forever', async () => {
  const messages = [{ role: 'user', content: 'Go. [[sim tokens=5 delay_ms=1]]' }] as const;
  const { order } = await stand.begin('openai-chat', { messages });
  const compression = { compressOnce: async () => null, read: async () => null };
  const begun = new BegunGenerations({ ...stand.dependencies, compression }, new RunningStreams());
  const epochMs = Date.now();
  await stand.dependencies.log.open(order.generationId, epochMs + 10_000);
  expect(await begun.beginGeneration({ order, epochMs })).toMatchObject({ next: 'stream', waitMs: 0 });
  expect(await stand.sim.calls()).toEqual([]);
});
