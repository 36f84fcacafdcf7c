import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { relayEvents } from '../../../api/relay/relay-events.ts';
import type { ViewerSink } from '../../../api/relay/viewer.ts';
import type { EventBody, GenerationEvent } from '../../../contracts/events.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import type { EventLog } from '../../../engine/streaming/event-log.ts';
import { type LiveLogs, RedisLiveLogs } from '../../../engine/streaming/live-logs.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startTestRedis, type TestRedis } from './redis-server.ts';

const END: EventBody = { type: 'generation-cancel', attempts: 1, usage: NO_USAGE, costMicroUsd: 0 };
const delta = (text: string): EventBody => ({ type: 'text-delta', text });
let redis: TestRedis;
let log: EventLog;
let live: LiveLogs;
let logs = 0;
beforeAll(async () => {
  redis = await startTestRedis();
  log = new RedisEventLog(await redis.connect(), { retentionMs: 60_000 });
  live = new RedisLiveLogs(await redis.connect());
});
afterAll(() => redis?.stop());

async function newLog(): Promise<string> {
  logs += 1;
  const generationId = `gen_${logs}`;
  const input = { messages: [{ role: 'user', content: 'Why?' }], maxOutputTokens: 100 } as const;
  const owner = { tenant: 'acme', user: 'ann', route: 'default', requestHash: 'hash' };
  await log.create({ generationId, ...owner, metadata: { a: 'b' }, input, origin: { store: true } });
  return generationId;
}

async function writeBatches(generationId: string, batches: readonly (readonly EventBody[])[]): Promise<void> {
  const { writer } = await log.open(generationId, 5);
  for (const batch of batches) {
    for (const event of batch) void writer.write(event, { covers: 'secret' });
    await writer.flush();
  }
}

test('a log that is erased while it runs is hidden at once, and its texts go with its end', async () => {
  const generationId = await newLog();
  expect(await log.erase(generationId)).toBe('at-end');
  expect(await log.head(generationId)).toMatchObject({ erased: true, status: 'running' });
  await writeBatches(generationId, [[delta('secret')], [delta('more'), END]]);
  expect(await log.read(generationId, -1)).toEqual([]);
  expect(await log.readInput(generationId)).toBeNull();
  const head = await log.head(generationId);
  expect(head).toMatchObject({ erased: true, status: 'cancelled', origin: null, checkpoint: null });
  expect(head?.metadata).toEqual({});
});

test('an answer is not stored for others once it is withheld, which says whether it may have been stored before', async () => {
  const [stored, unstored] = [await newLog(), await newLog()];
  for (const generationId of [stored, unstored]) await writeBatches(generationId, [[END]]);
  expect(await log.markStored(stored)).toBe(true);
  expect(await log.withhold(stored)).toEqual({ mayBeStored: true });
  expect(await log.withhold(unstored)).toEqual({ mayBeStored: false });
  expect(await log.markStored(stored)).toBe(false);
  expect(await log.markStored(unstored)).toBe(false);
  expect(await log.withhold(stored)).toEqual({ mayBeStored: true });
  expect(await log.withhold('gen_unknown')).toEqual({ mayBeStored: false });
  expect(await log.head('gen_unknown')).toBeNull();
  // The deletion may have to be retried.
  expect(await log.head(stored)).toMatchObject({ erased: false });
  expect((await log.read(stored, -1)).length).toBeGreaterThan(0);
});

test('an answer is not stored for others once its log is erased', async () => {
  const [running, ended] = [await newLog(), await newLog()];
  await log.erase(running);
  expect(await log.markStored(running)).toBe(false);
  await writeBatches(ended, [[END]]);
  await log.erase(ended);
  expect(await log.markStored(ended)).toBe(false);
  expect(await log.markStored('gen_unknown')).toBe(false);
});

/** A viewer whose connection takes events only while it is open. */
function viewerOf(generationId: string, after: number) {
  const got: GenerationEvent[] = [];
  let opened = Promise.withResolvers<void>();
  let isReady = true;
  const sink: ViewerSink = {
    ready: () => isReady,
    whenReady: () => opened.promise.then(() => true),
    send: (events) => {
      got.push(...events);
    },
    heartbeat: () => undefined,
    closeStalled: () => false,
    coalesces: true,
  };
  const relay = { generationId, after, sink, signal: new AbortController().signal };
  const relayed = relayEvents({ log, live, heartbeatMs: 50 }, relay);
  relayed.catch(() => undefined);
  return {
    got,
    relayed,
    hold: () => {
      isReady = false;
      opened = Promise.withResolvers();
    },
    release: () => {
      isReady = true;
      opened.resolve();
    },
  };
}

describe('a viewer who is behind when a log is erased gets an error that says so', () => {
  const DELETED = { code: 'not_found', message: expect.stringContaining('was deleted') };

  test('though its connection took nothing as the end came', async () => {
    const generationId = await newLog();
    const viewer = viewerOf(generationId, -1);
    await waitFor('the start', () => viewer.got.length === 1);
    viewer.hold();
    // More than the process keeps of what has come.
    await writeBatches(generationId, [[delta('x'.repeat(LIMITS.relayWindowBytes))], [END]]);
    await log.erase(generationId);
    viewer.release();
    await expect(viewer.relayed).rejects.toMatchObject(DELETED);
    expect(viewer.got).toHaveLength(1);
  });

  test.each([
    ['that has nothing yet', -1],
    ['that comes back with its cursor', 1],
  ])('and so does one %s as the texts have gone', async (_, after) => {
    const generationId = await newLog();
    await writeBatches(generationId, [[delta('secret')], [END]]);
    await log.erase(generationId);
    await expect(viewerOf(generationId, after).relayed).rejects.toMatchObject(DELETED);
  });

  test('but one that keeps up with a log that is erased by its end gets that end', async () => {
    const generationId = await newLog();
    const viewer = viewerOf(generationId, -1);
    await waitFor('the start', () => viewer.got.length === 1);
    await log.erase(generationId);
    await writeBatches(generationId, [[END]]);
    await viewer.relayed;
    expect(viewer.got.at(-1)).toMatchObject({ type: 'generation-cancel' });
  });
});
