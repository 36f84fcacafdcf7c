import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { connectRedis, isRedisAway, type RedisConnection } from '../../streaming/redis-connection.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { waitFor } from '../harness/wait-for.ts';
import { startTestRedis, type TestRedis } from './redis-server.ts';

const ANSWER_MS = 300;
const SLACK_MS = 700;
let server: TestRedis;
let wire: TcpProxy;
let redis: RedisConnection;
const errors: Error[] = [];

beforeAll(async () => {
  server = await startTestRedis();
  wire = await startTcpProxy(Number(new URL(server.url).port));
  redis = await connectRedis(`redis://${wire.address}`, (error) => errors.push(error), ANSWER_MS);
});
afterAll(async () => {
  redis?.destroy();
  await wire?.close();
  await server?.stop();
});
afterEach(() => wire.mend());

/** How long a command took to be refused as one to a Redis that is away. */
async function refusedAfterMs(): Promise<number> {
  const begunAt = performance.now();
  const error = await redis.get('key').then(
    () => new Error('it was answered'),
    (refusal: unknown) => refusal,
  );
  if (!isRedisAway(error)) throw error;
  return performance.now() - begunAt;
}

test('no command waits longer than it may for a Redis that is silent, however many are sent meanwhile', async () => {
  await redis.set('key', 'before');
  wire.harm({ kind: 'drop' });
  const until = performance.now() + 6 * ANSWER_MS;
  const waits: Promise<number>[] = [];
  while (performance.now() < until) {
    waits.push(refusedAfterMs());
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS / 10));
  }
  expect(Math.max(...(await Promise.all(waits)))).toBeLessThan(ANSWER_MS + SLACK_MS);
  // The connection was given up, so the way back does not depend on what became of it.
  expect(errors.length).toBeGreaterThan(0);
  wire.mend();
  const value = await waitFor('an answer', () => redis.get('key').catch(() => null));
  expect(value).toBe('before');
});

test('a subscriber whose connection fell silent is subscribed again', async () => {
  const subscriber = await connectRedis(`redis://${wire.address}`, () => undefined, ANSWER_MS);
  const heard: string[] = [];
  await subscriber.sSubscribe('news', (message) => heard.push(message));
  const ready = new Promise((resolve) => subscriber.once('ready', resolve));
  wire.harm({ kind: 'drop' });
  await new Promise((resolve) => subscriber.once('error', resolve));
  wire.mend();
  await ready;
  await waitFor('the message', async () => {
    await redis.sPublish('news', 'again').catch(() => 0);
    return heard.includes('again');
  });
  subscriber.destroy();
});

test('a connection that nobody uses is kept', async () => {
  await waitFor('a command to be answered', () => redis.get('key').catch(() => null));
  const before = errors.length;
  await new Promise((resolve) => setTimeout(resolve, 5 * ANSWER_MS));
  expect(errors.slice(before)).toEqual([]);
});
