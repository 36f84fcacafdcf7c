import { statSync, truncateSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { checkCursor } from '../../../api/relay/check-cursor.ts';
import { relayEvents } from '../../../api/relay/relay-events.ts';
import type { ViewerSink } from '../../../api/relay/viewer.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import type { EventLog, LogHead, OpenedLog } from '../../../engine/streaming/event-log.ts';
import { type LiveLogs, RedisLiveLogs } from '../../../engine/streaming/live-logs.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { END } from './log-stand.ts';
import { startTestRedis, type TestRedis } from './redis-server.ts';

let redis: TestRedis;
let log: EventLog;
let live: LiveLogs;
beforeAll(async () => {
  redis = await startTestRedis();
  log = new RedisEventLog(await redis.connect(), { retentionMs: 60_000 });
  live = new RedisLiveLogs(await redis.connect());
});
afterAll(() => redis.stop());

let count = 0;
async function begin(): Promise<{ id: string; opened: OpenedLog }> {
  count += 1;
  const id = `gen_tail_${count}`;
  const owner = { generationId: id, tenant: 't', user: 'u', route: 'default', metadata: {} };
  await log.create({ ...owner, requestHash: 'h', input: { messages: [], maxOutputTokens: 10 } });
  return { id, opened: await log.open(id, 1) };
}

async function write({ writer }: OpenedLog, ...texts: string[]): Promise<void> {
  for (const text of texts) {
    await writer.write({ type: 'text-delta', text });
    await writer.flush();
  }
}

/** Redis dies and comes back without what was written to it by `lose`, all of it acknowledged. */
async function losing(keep: () => Promise<void>, lose: () => Promise<void>): Promise<void> {
  await keep();
  let size = 0;
  await redis.crash((file) => {
    size = statSync(file).size;
  });
  await lose();
  await redis.crash((file) => truncateSync(file, size));
}

async function headOf(id: string): Promise<LogHead> {
  const head = await log.head(id);
  if (head === null) throw new Error(`no log ${id}`);
  return head;
}

describe('Redis that dies', () => {
  test('loses nothing that was acknowledged when only its process is killed', async () => {
    const { id, opened } = await begin();
    await write(opened, 'a', 'b', 'c');
    await redis.crash(() => undefined);
    await write(opened, 'd');
    const events = await log.read(id, 0);
    expect(events.map((event) => 'text' in event && event.text).join('')).toBe('abcd');
    expect((await headOf(id)).torn).toBeNull();
  });

  test('and lost the tail: the writer that had more acknowledged stops, and the numbers are noted', async () => {
    const { id, opened } = await begin();
    await losing(
      () => write(opened, 'a', 'b'),
      () => write(opened, 'c', 'd', 'e'),
    );
    await expect(write(opened, 'f')).rejects.toMatchObject({ name: 'LogRefused', reason: 'torn' });
    expect(await headOf(id)).toMatchObject({ nextSeq: 3, torn: { from: 3, until: 5 } });
    // The next attempt continues from the remaining events.
    const next = await log.open(id, 2);
    await write(next, 'C', 'D', 'E', 'F');
    const head = await headOf(id);
    await expect(checkCursor(log, head, { after: 2 })).resolves.toBeUndefined();
    for (const after of [3, 5])
      await expect(checkCursor(log, head, { after })).rejects.toMatchObject({ code: 'log_tail_lost' });
    await expect(checkCursor(log, head, { after: 6 })).resolves.toBeUndefined();
    await expect(checkCursor(log, head, { after: 7 })).rejects.toMatchObject({ code: 'cursor_invalid' });
  });

  test('a cursor past the end is refused, and so is one whose number was reused, by the time of its event', async () => {
    const { id, opened } = await begin();
    let lost: GenerationEvent | undefined;
    await losing(
      () => write(opened, 'a'),
      async () => {
        await write(opened, 'b');
        lost = (await log.read(id, 1))[0];
      },
    );
    const cursor = { after: 2, at: lost?.at };
    await expect(checkCursor(log, await headOf(id), cursor)).rejects.toMatchObject({
      code: 'cursor_invalid',
    });
    // The writer died with Redis: nobody knows what was lost.
    await write(await log.open(id, 2), 'B', 'C');
    const head = await headOf(id);
    expect(head.torn).toBeNull();
    await expect(checkCursor(log, head, cursor)).rejects.toMatchObject({ code: 'log_tail_lost' });
    const now = (await log.read(id, 1))[0];
    await expect(checkCursor(log, head, { after: 2, at: now?.at })).resolves.toBeUndefined();
  });

  test('a viewer who was connected is never carried over the loss', async () => {
    const { id, opened } = await begin();
    const got: GenerationEvent[] = [];
    const sink: ViewerSink = {
      ready: () => true,
      whenReady: async () => true,
      send: (events) => {
        got.push(...events);
      },
      heartbeat: () => undefined,
      closeStalled: () => false,
      coalesces: true,
    };
    let relayed: Promise<unknown> = Promise.resolve();
    await losing(
      () => write(opened, 'a'),
      async () => {
        const signal = new AbortController().signal;
        relayed = relayEvents({ log, live, heartbeatMs: 100 }, { generationId: id, after: -1, sink, signal });
        relayed.catch(() => undefined);
        await write(opened, 'b', 'c');
        await waitFor('the last event', () => got.at(-1)?.seq === 3);
      },
    );
    await write(await log.open(id, 2), 'B', 'C', 'D', 'E');
    await expect(relayed).rejects.toMatchObject({ code: 'log_tail_lost' });
    expect(got.at(-1)?.seq).toBe(3);
  });

  test('a viewer whose connection was full during the loss gets no event of the new tail', async () => {
    const { id, opened } = await begin();
    const got: GenerationEvent[] = [];
    const full = Promise.withResolvers<boolean>();
    let isFull = false;
    let isWaiting = false;
    const sink: ViewerSink = {
      ready: () => !isFull,
      whenReady: () => {
        isWaiting = true;
        return full.promise;
      },
      send: (events) => {
        got.push(...events);
      },
      heartbeat: () => undefined,
      closeStalled: () => false,
      coalesces: true,
    };
    let returns = 0;
    const follower = await live.follow(id, (batch) => {
      if (batch === null) returns += 1;
    });
    // Until the subscription is back, it misses what is appended.
    const subscribedAgain = (times: number) => waitFor('the subscription to be back', () => returns >= times);
    let relayed: Promise<unknown> = Promise.resolve();
    await losing(
      () => write(opened, 'a'),
      async () => {
        await subscribedAgain(1);
        const signal = new AbortController().signal;
        relayed = relayEvents({ log, live }, { generationId: id, after: -1, sink, signal });
        relayed.catch(() => undefined);
        await write(opened, 'b', 'c');
        await waitFor('the last event', () => got.at(-1)?.seq === 3);
        isFull = true;
        await write(opened, 'd');
        await waitFor('the viewer to wait', () => isWaiting);
      },
    );
    await subscribedAgain(2);
    const next = await log.open(id, 2);
    await write(next, 'B', 'C', 'D');
    await next.writer.write(END);
    await next.writer.flush();
    await waitFor('the new tail', () => follower.after(1)?.at(-1)?.seq === 5);
    isFull = false;
    full.resolve(true);
    await expect(relayed).rejects.toMatchObject({ code: 'log_tail_lost' });
    expect(got.at(-1)?.seq).toBe(3);
    await follower.release();
  });
});
