/**
 * How the cost of a generation grows: with its length, and with the number that run at once. Whatever the length, the
 * history in Temporal must have the same events: text never goes through it.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectRedis, type RedisConnection } from '../../platform/redis/redis-connection.ts';
import { startSharedServices } from '../../test/harness/shared-services.ts';
import { type Stack, startStack } from '../../test/harness/stack.ts';
import { closeTemporalClients } from '../../test/harness/streaming-worker.ts';
import { closedRun } from './closed-run.ts';
import { differences } from './growth-check.ts';
import type { ByProcess, Growth, GrowthPlan } from './growth-row.ts';
import { printGrowth } from './growth-tables.ts';
import { load, summary } from './load.ts';
import { measureLogBytes } from './log-bytes.ts';
import { openFileBytes, useOf } from './process-use.ts';
import { bytesOf, keysLike, type RedisUse, redisUse } from './redis-use.ts';
import { cpuOf, mapped, type Pids, pidsOf } from './service-pids.ts';
import { generate, UNTIL_ADOPTED } from './stream-generation.ts';

const WARM_UP_REQUESTS = 60;
/** What the warm-up leaves to collect and to compile is over by then. */
const SETTLE_MS = 15_000;
const IDLE_MS = 20_000;
/** No steeper than two slow cores can begin a thousand. */
const RAMP_MS = 35_000;
const PEAK_EVERY_MS = 250;
/** Runs of a row that are looked at. */
const INSPECTED = 20;

const SHORT = { group: 'ends in its first task', delayMs: 0, firstMs: 0, rampMs: 0 } as const;
const LONG = { group: 'adopted', delayMs: 0, firstMs: 0, silence: UNTIL_ADOPTED, rampMs: 0 } as const;
/** 40 s each, so that those of a row overlap though they do not begin together. */
const SLOW = { group: 'adopted', tokens: 80, delayMs: 500, firstMs: 0, rampMs: RAMP_MS } as const;

const PLANS: readonly GrowthPlan[] = [
  { ...SHORT, name: '100 tokens, at full speed', tokens: 100, generations: 200, atOnce: 10 },
  { ...SHORT, name: '1,000 tokens, at full speed', tokens: 1_000, generations: 100, atOnce: 5 },
  { ...LONG, name: '100 tokens, adopted', tokens: 100, generations: 60, atOnce: 10 },
  { ...LONG, name: '1,000 tokens, adopted', tokens: 1_000, generations: 30, atOnce: 5 },
  { ...LONG, name: '10,000 tokens, adopted', tokens: 10_000, generations: 12, atOnce: 2 },
  { ...LONG, name: '100,000 tokens, adopted', tokens: 100_000, generations: 3, atOnce: 1 },
  {
    ...SHORT,
    // A run of a burst may be left to the queue, and is adopted after a second.
    rampMs: 6_000,
    name: '300 tokens, 50 a second',
    tokens: 300,
    delayMs: 20,
    generations: 100,
    atOnce: 20,
  },
  { ...SLOW, name: '10 at once, 2 tokens/s', generations: 10, atOnce: 10 },
  { ...SLOW, name: '100 at once, 2 tokens/s', generations: 100, atOnce: 100 },
  { ...SLOW, name: '1,000 at once, 2 tokens/s', generations: 1_000, atOnce: 1_000 },
];

interface Bench {
  readonly stack: Stack;
  readonly redis: RedisConnection;
  readonly pids: Pids;
  /** CPU that each process uses while nothing runs, in ms per second. */
  readonly idle: ByProcess;
}

/** @param only rows whose name has this; all where it is empty. @returns whether nothing grew that must not. */
export async function benchGrowth(only: string): Promise<boolean> {
  const services = await startSharedServices();
  const endings = [() => services.stop(), closeTemporalClients];
  try {
    const stack = await startStack({ services: services.env });
    endings.unshift(() => stack.stop());
    const redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
    endings.unshift(async () => redis.destroy());
    return await measureAll(stack, redis, pidsOf(stack, services), only);
  } finally {
    for (const end of endings) await end();
  }
}

async function measureAll(stack: Stack, redis: RedisConnection, pids: Pids, only: string): Promise<boolean> {
  await load(WARM_UP_REQUESTS, 4, () => generate(stack, { ...SHORT, tokens: 40 }));
  await load(8, 8, () => generate(stack, { ...LONG, tokens: 40 }));
  await sleep(SETTLE_MS);
  const before = cpuOf(pids);
  await sleep(IDLE_MS);
  const idle = mapped((name) => (cpuOf(pids)[name] - before[name]) / (IDLE_MS / 1_000));
  const bench: Bench = { stack, redis, pids, idle };
  const storedBytes = () => openFileBytes(pids.Temporal, '/temporal.db');
  const storedBefore = storedBytes();
  const rows: Growth[] = [];
  for (const plan of PLANS.filter(({ name }) => name.includes(only))) {
    rows.push(await measure(bench, plan));
    console.log(`${plan.name}: done`);
  }
  const generations = rows.reduce((sum, row) => sum + row.generations, 0);
  console.log(`\nOne API, one worker; all processes and the load share ${availableParallelism()} cores.`);
  printGrowth(rows, idle);
  console.log(
    `\nTemporal's SQLite file grew by ${kilobytes((storedBytes() - storedBefore) / generations)} for each of ` +
      `${generations} generations: history, state, visibility and their indices.`,
  );
  const faults = differences(rows);
  for (const fault of faults) console.log(`GROWS: ${fault}`);
  if (faults.length === 0) console.log('Histories have the same events at every length.');
  return faults.length === 0;
}

async function measure(bench: Bench, plan: GrowthPlan): Promise<Growth> {
  const { stack, redis, pids, idle } = bench;
  const books = () => keysLike(redis, 'ub:budget:*').then((keys) => bytesOf(redis, keys));
  const booksBefore = await books();
  const [cpuBefore, redisBefore] = [cpuOf(pids), await redisUse(redis)];
  const beganAt = performance.now();
  const { times, ...peaks } = await runAll(bench, plan);
  const seconds = (performance.now() - beganAt) / 1_000;
  const [cpuAfter, redisAfter] = [cpuOf(pids), await redisUse(redis)];
  const inspected = times.slice(-INSPECTED).map(({ id }) => id);
  const runs = await Promise.all(inspected.map((id) => closedRun(stack, id)));
  const logBytes = await measureLogBytes(redis, inspected);
  const first = summary(times.map(({ firstMs }) => firstMs));
  const silentMs = plan.silence?.ms ?? 0;
  const speeds = times.map(
    ({ wholeMs, firstMs }) => (plan.tokens * 1_000) / Math.max(1, wholeMs - firstMs - silentMs),
  );
  const each = (count: (use: RedisUse) => number) =>
    (count(redisAfter) - count(redisBefore)) / plan.generations;
  return {
    ...plan,
    ...peaks,
    runs,
    cpuMs: mapped((name) =>
      Math.max(0, (cpuAfter[name] - cpuBefore[name] - idle[name] * seconds) / plan.generations),
    ),
    logBytes,
    bookBytes: ((await books()) - booksBefore) / plan.generations,
    redisCommands: each(({ commands }) => commands),
    redisNetworkBytes: each(({ networkBytes }) => networkBytes),
    firstMs: first['median ms'],
    firstP99Ms: first['p99 ms'],
    tokensPerSecond: summary(speeds)['median ms'],
  };
}

async function runAll({ stack, pids }: Bench, plan: GrowthPlan) {
  let running = 0;
  let begun = 0;
  let [peakAtOnce, peakWorkerMiB, peakApiMiB] = [0, 0, 0];
  const look = setInterval(() => {
    peakWorkerMiB = Math.max(peakWorkerMiB, useOf([pids.worker]).residentMiB);
    peakApiMiB = Math.max(peakApiMiB, useOf([pids.API]).residentMiB);
  }, PEAK_EVERY_MS);
  try {
    const times = await load(plan.generations, plan.atOnce, async () => {
      if (begun < plan.atOnce) await sleep((plan.rampMs * begun++) / plan.atOnce);
      const onFirst = () => {
        running += 1;
        peakAtOnce = Math.max(peakAtOnce, running);
      };
      return generate(stack, { ...plan, repeats: true }, onFirst).finally(() => {
        running -= 1;
      });
    });
    return { times, peakAtOnce, peakWorkerMiB, peakApiMiB };
  } finally {
    clearInterval(look);
  }
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(1)} kB`;
}
