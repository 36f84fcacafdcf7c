import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import type { EventLog, LogWriter } from '../../../engine/streaming/event-log.ts';
import { type LiveLog, type LiveLogs, RedisLiveLogs } from '../../../engine/streaming/live-logs.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startTestRedis, type TestRedis } from './redis-server.ts';

let server: TestRedis | undefined;
let redis: RedisConnection;
let log: EventLog;
let live: LiveLogs;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
  log = new RedisEventLog(redis, { retentionMs: 60_000 });
  live = new RedisLiveLogs(await server.connect());
});

afterAll(async () => {
  await server?.stop();
});

async function newWriter(generationId: string): Promise<LogWriter> {
  await log.create({
    generationId,
    tenant: 'acme',
    user: 'ann',
    route: 'default',
    requestHash: 'h',
    metadata: {},
    input: { messages: [{ role: 'user', content: 'hello' }], maxOutputTokens: 10 },
  });
  return (await log.open(generationId, 1)).writer;
}

async function append(writer: LogWriter, text: string): Promise<void> {
  await writer.write({ type: 'text-delta', text });
  await writer.flush();
}

function textsAfter(followed: Pick<LiveLog, 'after'>, cursor: number): (string | false)[] | null {
  const events: readonly GenerationEvent[] | null = followed.after(cursor);
  return events?.map((event) => 'text' in event && event.text) ?? null;
}

/** A viewer that keeps the batches that it receives; null stands for "something may be lost". */
async function follow(generationId: string) {
  const batches: (readonly GenerationEvent[] | null)[] = [];
  const followed = await live.follow(generationId, (batch) => batches.push(batch));
  const handed = () =>
    batches.flatMap((batch) => (batch ?? []).map((event) => ('text' in event ? event.text : event.type)));
  return {
    after: (cursor: number, cursorAtMs?: number) => followed.after(cursor, cursorAtMs),
    release: () => followed.release(),
    batches,
    handed,
  };
}

test('a follower is handed what is appended, without reading the log', async () => {
  const writer = await newWriter('gen_follow');
  const followed = await follow('gen_follow');
  expect(followed.after(0)).toBeNull();
  await append(writer, 'a');
  await append(writer, 'b');
  await waitFor('both deltas', () => followed.handed().length === 2);
  expect(followed.handed()).toEqual(['a', 'b']);
  expect(textsAfter(followed, 0)).toEqual(['a', 'b']);
  expect(textsAfter(followed, 1)).toEqual(['b']);
  expect(followed.after(-1)).toBeNull();
  await followed.release();
});

test('a viewer whose event at the cursor is not that of the window has to read the log', async () => {
  const writer = await newWriter('gen_other_tail');
  const followed = await follow('gen_other_tail');
  await append(writer, 'a');
  await append(writer, 'b');
  await waitFor('both deltas', () => followed.handed().length === 2);
  const at = followed.batches.flatMap((batch) => batch ?? []).find(({ seq }) => seq === 1)?.at ?? 0;
  const [own, another, beforeTheWindow] = [
    followed.after(1, at),
    followed.after(1, at - 1),
    followed.after(0, at - 1),
  ];
  await followed.release();
  expect(own).toMatchObject([{ text: 'b' }]);
  expect(another).toBeNull();
  expect(beforeTheWindow).toHaveLength(2);
});

test('two viewers share one subscription and its batches; it ends with the last of them', async () => {
  const writer = await newWriter('gen_share');
  const [first, second] = await Promise.all([follow('gen_share'), follow('gen_share')]);
  expect(live.followed).toBe(1);
  await append(writer, 'a');
  await waitFor('the delta at both', () => first.handed().length === 1 && second.handed().length === 1);
  expect(first.batches[0]).toBe(second.batches[0]);
  await first.release();
  await first.release();
  expect(live.followed).toBe(1);
  await append(writer, 'b');
  await waitFor('the next delta', () => second.handed().length === 2);
  expect(first.handed()).toEqual(['a']);
  await second.release();
  expect(live.followed).toBe(0);
});

test('a log that is left and followed again at once is handed to its new viewer', async () => {
  const writer = await newWriter('gen_again');
  for (const round of Array.from({ length: 20 }, (_, index) => index)) {
    const before = await follow('gen_again');
    const left = before.release();
    const after = await follow('gen_again');
    await append(writer, `${round}`);
    await waitFor(`the delta of round ${round}`, () => after.handed().length === 1);
    await Promise.all([left, after.release()]);
  }
  expect(live.followed).toBe(0);
});

test('the log tells how many processes relay it', async () => {
  await newWriter('gen_count');
  expect(await log.followers('gen_count')).toBe(0);
  const followed = await follow('gen_count');
  expect(await log.followers('gen_count')).toBe(1);
  await followed.release();
  expect(await log.followers('gen_count')).toBe(0);
});

test('a viewer is notified of a lost subscription and reads the log, and the subscription is restored', async () => {
  const writer = await newWriter('gen_lost');
  const followed = await follow('gen_lost');
  await append(writer, 'a');
  await waitFor('the first delta', () => followed.handed().length === 1);
  const killed = Number(await redis.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']));
  expect(killed).toBe(1);
  await waitFor('the notice of the loss', () => followed.batches.includes(null));
  await waitFor('the subscription is back', async () => {
    const channels = await redis.sendCommand(['PUBSUB', 'SHARDCHANNELS']);
    return Array.isArray(channels) && channels.length === 1;
  });
  await append(writer, 'b');
  await waitFor('the next delta', () => followed.handed().length === 2);
  expect(textsAfter(followed, 1)).toEqual(['b']);
  // What was said while nobody listened is in the log only.
  expect(followed.after(0)).toBeNull();
  expect(await log.read('gen_lost', 0)).toMatchObject([{ text: 'a' }, { text: 'b' }]);
  await followed.release();
});

test('an erased log keeps its head, and nothing else', async () => {
  const writer = await newWriter('gen_erased');
  await append(writer, 'a');
  await writer.write({ type: 'generation-cancel', attempts: 1, usage: NO_USAGE, costMicroUsd: 0 });
  await writer.flush();
  await log.erase('gen_erased');
  expect(await log.head('gen_erased')).toMatchObject({ erased: true, status: 'cancelled' });
  expect(await log.read('gen_erased', -1)).toEqual([]);
  expect(await log.readInput('gen_erased')).toBeNull();
  // What it cost is still to be booked.
  expect((await log.view('gen_erased'))?.view?.end).toMatchObject({ type: 'generation-cancel', attempts: 1 });
});
