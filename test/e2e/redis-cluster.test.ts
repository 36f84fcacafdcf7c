/** A whole stack on a Redis Cluster: generations run while slots move and masters die. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from '../../clients/typescript/index.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { connectRedis } from '../../platform/redis/redis-connection.ts';
import { type RedisCluster, startRedisCluster } from '../../tools/services/redis-cluster.ts';
import type { ClusterNode } from '../../tools/services/redis-cluster-node.ts';
import { announcedServices } from '../harness/announced-services.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Reading, startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { redisValues } from '../harness/stored-text.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const GENERATIONS = 8;
let cluster: RedisCluster;
let stack: Stack;

beforeAll(async () => {
  cluster = await startRedisCluster({ nodeTimeoutMs: 1_000 });
  stack = await startStack({
    workers: 2,
    apis: 2,
    services: { ...announcedServices(), REDIS_URL: cluster.url },
    // A busy machine is slow to confirm; a write that is refused meanwhile would be another test.
    config: { redis: { waitForReplicas: { count: 1, withinMs: 10_000 } }, limits: { heartbeatMs: 1_000 } },
  });
});
afterAll(async () => {
  await stack?.stop();
  await cluster?.stop();
});

interface Begun {
  readonly reading: Reading;
  readonly text: string;
}

async function begin(): Promise<Begun> {
  const input = promptOf({ tokens: 150, delayMs: 20 });
  const { text } = await stack.sim.text(input);
  const key = randomUUID();
  // While a master is being replaced, a request for its part of the keys gets a 503, and clients repeat it.
  const { body } = await waitFor('the generation to be accepted', async () => {
    const created = await stack.api.create({ input, cache: 'off' }, key);
    return created.status === 201 ? created : null;
  });
  return { reading: startReading(stack.api, body.id), text };
}

/** Whole, exactly once; or the reader learns that text it has was lost, and finds the whole when it reads again. */
async function expectWhole({ reading, text }: Begun): Promise<void> {
  const events = await reading.whole.catch((error: { code?: string }) => {
    expect(error.code).toBe('log_tail_lost');
    return startReading(stack.api, reading.id).whole;
  });
  expect(faultsOf(events)).toEqual([]);
  expect(textOf(events)).toBe(text);
  expect(events.at(-1)?.type).toBe('generation-end');
}

async function masterOf(reading: Reading): Promise<ClusterNode> {
  return cluster.masterOf(REDIS_KEYS.logMeta(reading.id));
}

test('generations survive that their logs move, and that a master is killed, and each is paid once', async () => {
  const running = await Promise.all(Array.from({ length: GENERATIONS }, begin));
  await Promise.all(running.map(({ reading }) => reading.deltas(5)));
  const [first] = running;
  if (first === undefined) throw new Error('nothing runs');
  const source = await masterOf(first.reading);
  const target = (await cluster.masters()).find((node) => node !== source);
  if (target === undefined) throw new Error('there is one master');
  await cluster.moveSlotOf(REDIS_KEYS.logMeta(first.reading.id), target);
  await source.kill();
  // Another one begins while the replica is being elected. Its writes may go to that replica, which has none itself
  // before the old master returns, so they are refused until then.
  const later = begin();
  await waitFor('the election', async () => !(await cluster.masters()).includes(source));
  // Writes wait for a replica, and this one becomes it.
  await source.restart();
  for (const begun of [...running, await later]) await expectWhole(begun);
  await cluster.untilWhole();
  expect(await stack.sim.calls()).toHaveLength(GENERATIONS + 1);
});

/** The names of keys that have this word, of all masters. */
async function keysWith(word: string): Promise<string[]> {
  const masters = await cluster.masters();
  const found = await Promise.all(
    masters.map(async ({ url }) => {
      const redis = await connectRedis(url, () => undefined);
      const values = await redisValues(redis);
      redis.destroy();
      return [...values].flatMap(([name, value]) => (value.includes(word) ? [name] : []));
    }),
  );
  return found.flat();
}

test('an erased user leaves no word on any master, though a slot moves and a master is killed', async () => {
  const [user, word] = ['erased', 'XYZZY'].map((name) => `${name}${randomUUID().slice(0, 8)}`) as [
    string,
    string,
  ];
  const key = await stack.addKey({ user, scopes: ['generate'] });
  const api = connectApi(stack.api.url, key);
  const client = createClient({ baseUrl: api.url, apiKey: key });
  const ask = async (tokens: number) => {
    const input = `${word} ${promptOf({ tokens, delayMs: 20 })}`;
    return startReading(api, (await api.submit({ input, cache: 'off' })).id);
  };
  const ended = await Promise.all(Array.from({ length: GENERATIONS }, () => ask(3)));
  await Promise.all(ended.map(({ whole }) => whole));
  const running = await ask(3_000);
  await running.deltas(3);
  expect((await keysWith(word)).length).toBeGreaterThan(GENERATIONS);

  const { id } = await client.erasures.user(user);
  const [first, last] = [ended[0] ?? running, ended.at(-1) ?? running];
  const source = await masterOf(first);
  const target = (await cluster.masters()).find((node) => node !== source);
  if (target === undefined) throw new Error('there is one master');
  await cluster.moveSlotOf(REDIS_KEYS.logMeta(first.id), target);
  const dead = await masterOf(last);
  await dead.kill();
  await waitFor('the election', async () => !(await cluster.masters()).includes(dead));
  await dead.restart();
  const receipt = await waitFor('the receipt', async () => {
    const view = await client.erasures.get(id).catch(() => null);
    return view?.status === 'completed' && view;
  });
  await cluster.untilWhole();
  expect(await keysWith(word)).toEqual([]);
  expect(receipt.removed).toContainEqual({ kind: 'generations', count: GENERATIONS + 1 });
});
