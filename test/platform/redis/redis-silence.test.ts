import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { connectRedis, isRedisAway, type RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../../engine/streaming/redis-server.ts';
import { startTcpProxy, type TcpProxy } from '../../harness/tcp-proxy.ts';
import { pause, waitFor } from '../../harness/wait-for.ts';

const ANSWER_MS = 300;
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

/** Resolves when a command is rejected because Redis is unreachable. */
async function refusal(): Promise<void> {
  const error = await redis.get('key').then(
    () => new Error('it was answered'),
    (reason: unknown) => reason,
  );
  if (!isRedisAway(error)) throw error;
}

test('no command waits longer than it may for a Redis that is silent, however many are sent meanwhile', async () => {
  await redis.set('key', 'before');
  wire.harm({ kind: 'drop' });
  const until = performance.now() + 6 * ANSWER_MS;
  const refusals: Promise<void>[] = [];
  let refused = 0;
  const count = () => {
    refused += 1;
  };
  while (performance.now() < until) {
    refusals.push(refusal().then(count));
    await pause(ANSWER_MS / 10);
  }
  // The later commands did not prolong the wait of the earlier ones.
  expect(refused).toBeGreaterThan(0);
  await Promise.all(refusals);
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

test('an idle connection is kept', async () => {
  await waitFor('a command to be answered', () => redis.get('key').catch(() => null));
  const before = errors.length;
  await new Promise((resolve) => setTimeout(resolve, 5 * ANSWER_MS));
  expect(errors.slice(before)).toEqual([]);
});
