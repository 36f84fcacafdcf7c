import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { EventLog, LogWriter } from '../../streaming/event-log.ts';
import { createLiveLogs, type LiveLog, type LiveLogs } from '../../streaming/live-logs.ts';
import type { RedisConnection } from '../../streaming/redis-connection.ts';
import { createRedisEventLog } from '../../streaming/redis-event-log.ts';
import { waitFor } from '../harness/wait-for.ts';
import { startTestRedis, type TestRedis } from './redis-server.ts';

const LONG_MS = 20_000;

let server: TestRedis | undefined;
let redis: RedisConnection;
let log: EventLog;
let live: LiveLogs;
const never = new AbortController().signal;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
  log = createRedisEventLog(redis, { retentionMs: 60_000 });
  live = createLiveLogs(await server.connect());
});

afterAll(async () => {
  await server?.stop();
});

async function newWriter(generationId: string): Promise<LogWriter> {
  await log.create({
    ...{ generationId, tenant: 'acme', user: 'ann', route: 'default', requestHash: 'h', metadata: {} },
    input: { messages: [{ role: 'user', content: 'hello' }], maxOutputTokens: 10 },
  });
  return (await log.open(generationId, 1)).writer;
}

async function append(writer: LogWriter, text: string): Promise<void> {
  await writer.write({ type: 'text-delta', text });
  await writer.flush();
}

function textsAfter(followed: LiveLog, cursor: number): (string | false)[] | null {
  const events: readonly GenerationEvent[] | null = followed.after(cursor);
  return events?.map((event) => 'text' in event && event.text) ?? null;
}

test('a follower is woken and sees what is appended, without reading the log', async () => {
  const writer = await newWriter('gen_follow');
  const followed = await live.follow('gen_follow');
  expect(followed.after(0)).toBeNull();
  const woken = followed.changed(LONG_MS, never);
  await append(writer, 'a');
  expect(await woken).toBe(true);
  await append(writer, 'b');
  const texts = await waitFor('both deltas in the window', () => {
    const seen = textsAfter(followed, 0);
    return seen?.length === 2 ? seen : null;
  });
  expect(texts).toEqual(['a', 'b']);
  expect(textsAfter(followed, 1)).toEqual(['b']);
  expect(followed.after(-1)).toBeNull();
  await followed.release();
});

test('two viewers share one subscription, which ends with the last of them', async () => {
  const writer = await newWriter('gen_share');
  const [one, other] = await Promise.all([live.follow('gen_share'), live.follow('gen_share')]);
  expect(live.followed).toBe(1);
  await one.release();
  await one.release();
  expect(live.followed).toBe(1);
  const woken = other.changed(LONG_MS, never);
  await append(writer, 'a');
  expect(await woken).toBe(true);
  await other.release();
  expect(live.followed).toBe(0);
});

test('a lost subscription wakes the viewer to read the log, and is repaired', async () => {
  const writer = await newWriter('gen_lost');
  const followed = await live.follow('gen_lost');
  await append(writer, 'a');
  await waitFor('the first delta in the window', () => textsAfter(followed, 0)?.length === 1);
  const woken = followed.changed(LONG_MS, never);
  const killed = Number(await redis.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']));
  expect(killed).toBe(1);
  expect(await woken).toBe(true);
  await waitFor('the subscription is back', async () => {
    const channels = await redis.sendCommand(['PUBSUB', 'SHARDCHANNELS']);
    return Array.isArray(channels) && channels.length === 1;
  });
  const after = followed.changed(LONG_MS, never);
  await append(writer, 'b');
  expect(await after).toBe(true);
  expect(textsAfter(followed, 1)).toEqual(['b']);
  // What was said while nobody listened is in the log only.
  expect(followed.after(0)).toBeNull();
  expect(await log.read('gen_lost', 0)).toMatchObject([{ text: 'a' }, { text: 'b' }]);
  await followed.release();
});

test('a viewer who leaves is not kept waiting', async () => {
  await newWriter('gen_leave');
  const followed = await live.follow('gen_leave');
  const leaving = new AbortController();
  const waiting = followed.changed(LONG_MS, leaving.signal);
  leaving.abort();
  expect(await waiting).toBe(false);
  await followed.release();
});
