/** An answer is stored after it was given: whatever happens there must not keep its run open. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RunningStreams } from '../../activities/attempt/running-streams.ts';
import { BegunGenerations } from '../../activities/begin-generation.ts';
import type { Dependencies } from '../../activities/dependencies.ts';
import { type AttemptStand, startAttemptStand } from './attempt/attempt-stand.ts';

let stand: AttemptStand;
beforeAll(async () => {
  stand = await startAttemptStand(['openai-chat']);
});
afterAll(() => stand?.stop());

const messages = [{ role: 'user', content: 'Go. [[sim tokens=5 delay_ms=1]]' }] as const;

test('a generation ends although the cache never answers', async () => {
  const never = new Promise<never>(() => undefined);
  let isAsked = false;
  const cache: Dependencies['cache'] = {
    store: () => {
      isAsked = true;
      return never;
    },
    lookUp: () => never,
    lookUpBest: () => never,
    replace: () => never,
    warmUp: () => never,
  };
  const compression = { compressOnce: async () => null, read: async () => null };
  const beginning = new BegunGenerations({ ...stand.dependencies, compression, cache }, new RunningStreams());
  const begin = async () => {
    const { order } = await stand.begin('openai-chat', { messages });
    return beginning.beginGeneration({ order: { ...order, cache: 'write' }, epochMs: Date.now() });
  };
  let begun = await begin();
  // On a busy machine the answer may take longer than a local activity, and then an activity stores it.
  while (begun.next === 'stream') begun = await begin();
  expect(isAsked).toBe(true);
  expect(begun).toMatchObject({ next: 'ended', outcome: { status: 'completed' } });
});
