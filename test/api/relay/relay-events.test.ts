import { expect, test } from '@jest/globals';
import { relayEvents } from '../../../api/relay/relay-events.ts';
import type { ViewerSink } from '../../../api/relay/viewer.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { BatchListener, LiveLogs } from '../../../engine/streaming/live-logs.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { creationOf, END } from '../../engine/streaming/log-stand.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { MemoryRedis } from '../../simulation/memory-redis.ts';

test('a viewer gets every event once and in order, whichever batches the subscription loses', async () => {
  const log = new RedisEventLog(new MemoryRedis(), { retentionMs: 60_000 });
  await log.create(creationOf('gen_1'));
  const { writer } = await log.open('gen_1', 1);
  const listeners: BatchListener[] = [];
  const live: LiveLogs = {
    followed: 1,
    follow: async (_generationId, onBatch) => {
      listeners.push(onBatch);
      // Its window is empty, as after a subscription that was lost.
      return { after: () => null, readTogether: (_place, read) => read(), release: async () => undefined };
    },
  };
  const got: GenerationEvent[] = [];
  const relay = {
    generationId: 'gen_1',
    after: -1,
    sink: sinkInto(got),
    signal: new AbortController().signal,
  };
  const relaying = relayEvents({ log, live }, relay);
  const append = async (text: string, { isPublished }: { readonly isPublished: boolean }) => {
    const { nextSeq } = writer;
    await writer.write({ type: 'text-delta', text });
    await writer.flush();
    const batch = await log.read('gen_1', nextSeq - 1);
    if (isPublished) for (const listener of listeners) listener(batch);
  };
  await waitFor('the first event', () => got.length === 1);
  await append('a', { isPublished: true });
  await append('b', { isPublished: false });
  await append('c', { isPublished: true });
  await waitFor('what comes after the gap', () => got.some((event) => 'text' in event && event.text === 'c'));
  await append('d', { isPublished: true });
  await writer.write(END);
  await writer.flush();
  for (const listener of listeners) listener(null);
  expect(await relaying).toBe(5);
  expect(got).toEqual(await log.read('gen_1', -1));
});

function sinkInto(got: GenerationEvent[]): ViewerSink {
  return {
    ready: () => true,
    whenReady: async () => true,
    send: (events) => got.push(...events),
    heartbeat: () => undefined,
    closeStalled: () => false,
    coalesces: false,
  };
}
