import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { LIMITS } from '../../../contracts/limits.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import type { HandoffOffers, HandoffTaker, TakenRun } from '../../../engine/handoff/handoff.ts';
import { RedisHandoffOffers, RedisHandoffTaker } from '../../../engine/handoff/redis-handoff.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { orderOf } from '../../workflows/workflow-environment.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const carrier = {
  inject: () => ({ traceparent: 'the trace' }),
  within: <Result>(_headers: Readonly<Record<string, string>>, act: () => Result) => act(),
};
let server: TestRedis;
let redis: RedisConnection;
let taskQueue: string;
let offers: HandoffOffers;
let taker: HandoffTaker;
let queues = 0;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  queues += 1;
  taskQueue = `queue-${queues}`;
  offers = await RedisHandoffOffers.create(redis, await server.connect(), { taskQueue, carrier });
  taker = new RedisHandoffTaker(await server.connect(), redis, { taskQueue, carrier });
});

/** As a worker: waits until a run comes. */
async function takeOne(): Promise<TakenRun> {
  for (;;) {
    const run = await taker.take();
    if (run !== null) return run;
  }
}

const input = { messages: [{ role: 'user', content: 'Why?' }], maxOutputTokens: 9 } as const;

/** Waits until a worker has announced that it takes runs. */
async function someoneTakes(): Promise<void> {
  await waitFor('a taker', () => redis.exists(REDIS_KEYS.handoffTakers(taskQueue)));
}

describe('a run that is offered', () => {
  test('is taken by one worker, complete, and its start is acknowledged', async () => {
    const order = orderOf();
    const taking = takeOne();
    await someoneTakes();
    const offered = offers.offer({ order, priorityKey: 2, input });
    const run = await taking;
    expect(run).toMatchObject({ order, priorityKey: 2, input });
    await run.answer(true);
    expect(await offered).toBe(true);
  });

  test('is left to the API process if the worker could not start it', async () => {
    const taking = takeOne();
    await someoneTakes();
    const offered = offers.offer({ order: orderOf() });
    await (await taking).answer(false);
    expect(await offered).toBe(false);
  });

  test('is not offered at all where no worker takes runs', async () => {
    expect(await offers.offer({ order: orderOf() })).toBe(false);
    expect(await redis.exists(REDIS_KEYS.handoff(taskQueue))).toBe(0);
  });

  test('is withdrawn where all workers are busy, so that nobody takes it later', async () => {
    await taker.take();
    expect(await offers.offer({ order: orderOf(), input })).toBe(false);
    expect(await redis.exists(REDIS_KEYS.handoff(taskQueue))).toBe(0);
  });

  test('is given up where the worker that took it says nothing any more, and a late worker drops it', async () => {
    const taking = takeOne();
    await someoneTakes();
    const begunAtMs = Date.now();
    const offered = offers.offer({ order: orderOf() });
    await taking;
    expect(await offered).toBe(false);
    expect(Date.now() - begunAtMs).toBeGreaterThanOrEqual(LIMITS.handoffStartedMs);
    const head = { order: orderOf(), trace: {}, replyTo: 'nobody' };
    await redis.lPush(REDIS_KEYS.handoff(taskQueue), JSON.stringify({ ...head, atMs: Date.now() - 60_000 }));
    expect(await taker.take()).toBeNull();
  });

  test('travels without its input where that is long', async () => {
    const taking = takeOne();
    await someoneTakes();
    const content = 'long '.repeat(LIMITS.handoffChars / 5);
    const offered = offers.offer({
      order: orderOf(),
      input: { ...input, messages: [{ role: 'user', content }] },
    });
    const run = await taking;
    expect(run.input).toBeUndefined();
    await run.answer(true);
    expect(await offered).toBe(true);
  });
});

test.each(['{"order":1}', 'no JSON'])(
  'what is no run on the list does not end the worker: %s',
  async (text) => {
    await redis.lPush(REDIS_KEYS.handoff(taskQueue), text);
    expect(await taker.take()).toBeNull();
  },
);
