/** `npm run bench -- costs`: what generations of several kinds cost the processes of this machine. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../../../contracts/limits.ts';
import { connectRedis } from '../../../platform/redis/redis-connection.ts';
import { promptOf } from '../../../test/harness/prompt.ts';
import { startSharedServices } from '../../../test/harness/shared-services.ts';
import { type Stack, startStack } from '../../../test/harness/stack.ts';
import { closeTemporalClients } from '../../../test/harness/streaming-worker.ts';
import { load, meanOf, streamOnce, summary } from '../load.ts';
import { generate, type Silence, UNTIL_ADOPTED } from '../stream-generation.ts';
import { CostMeter, type Used } from './cost-meter.ts';
import { COSTS_PATH, type Costs, parseCosts } from './costs.ts';
import { fitCosts } from './fit-costs.ts';
import { byProcess } from './simulate-load.ts';

interface RowPlan {
  readonly name: string;
  readonly tokens: number;
  readonly delayMs: number;
  readonly firstMs: number;
  readonly silence?: Silence;
  readonly generations: number;
  readonly atOnce: number;
  readonly cache?: 'on';
}

/** Until the first token, of a provider that is asked for nothing else. */
const SLOW_FIRST_MS = 1_200;
const STANDARD = { name: '300 tokens, 50 a second', tokens: 300, delayMs: 20, firstMs: 0 } as const;
const ROWS: readonly RowPlan[] = [
  { name: '2 tokens', tokens: 2, delayMs: 0, firstMs: 0, generations: 200, atOnce: 4 },
  { name: '1,000 tokens at full speed', tokens: 1_000, delayMs: 0, firstMs: 0, generations: 60, atOnce: 4 },
  { name: '60 tokens, 100 a second', tokens: 60, delayMs: 10, firstMs: 0, generations: 120, atOnce: 8 },
  {
    name: '2 tokens, adopted',
    tokens: 2,
    delayMs: 0,
    firstMs: 0,
    silence: UNTIL_ADOPTED,
    generations: 100,
    atOnce: 10,
  },
  { ...STANDARD, generations: 60, atOnce: 20 },
];
const CACHED: RowPlan = {
  ...(ROWS[0] as RowPlan),
  name: '2 tokens, with the cache',
  generations: 100,
  cache: 'on',
};
const POINT_LOAD = { tokens: 40, delayMs: 5 };
const POINTS = [
  { concurrency: 1, requests: 100 },
  { concurrency: 5, requests: 200 },
  { concurrency: 20, requests: 300 },
  { concurrency: 100, requests: 400 },
];
const WARM_UP = { generations: 250, atOnce: 8 };
const SETTLE_MS = 5_000;
/** Streams that run while memory is read. */
const STREAMS_AT_ONCE = 150;
const ROUND_SETTLE_MS = 1_000;
const FIRST_ROUNDS = 8;
const FIRST_AT_ONCE = 6;
/** In which the workflow's first task starts, before an activity adopts the stream. */
const AFTER_CALL_MS = 100;
const SAMPLED_LOGS = 5;

/** @param isWriting whether the figures replace those of measured.json. */
export async function benchCosts(isWriting: boolean): Promise<void> {
  const services = await startSharedServices();
  const endings = [() => services.stop(), closeTemporalClients];
  try {
    const stack = await startStack({ services: services.env, env: { UNBROKEN_METRICS_PORT: '0' } });
    endings.unshift(() => stack.stop());
    const redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
    endings.unshift(async () => redis.destroy());
    const costs = await measure(stack, new CostMeter(stack, services, redis));
    if (isWriting) writeFileSync(COSTS_PATH, `${JSON.stringify(costs, rounded, 2)}\n`);
    console.log(JSON.stringify(costs, rounded, 2));
  } finally {
    for (const end of endings) await end();
  }
}

async function measure(stack: Stack, meter: CostMeter): Promise<Costs> {
  const quick = { tokens: 2, delayMs: 0, firstMs: 0 };
  await load(WARM_UP.generations, WARM_UP.atOnce, () => generate(stack, quick));
  await load(WARM_UP.atOnce, WARM_UP.atOnce, () => generate(stack, { ...quick, silence: UNTIL_ADOPTED }));
  // Finished logs are packed, and code is compiled, after their generations have ended.
  await sleep(3 * SETTLE_MS);
  await meter.measureIdle(SETTLE_MS);
  const rows = [];
  for (const plan of ROWS) rows.push(await measureRow(stack, meter, plan));
  const [short, standard] = [rows[0], rows.at(-1)];
  if (short === undefined || standard === undefined) throw new Error('no rows');
  const beforeFirst = await measureBeforeFirst(stack, meter);
  const cached = await measureRow(stack, meter, CACHED);
  const runningLogBytes = await measureRunningLogs(stack, meter);
  const idle = meter.memory();
  const streams = await measureStreams(stack, meter);
  const points: Costs['points'] = [];
  for (const plan of POINTS) {
    const point = await measurePoint(stack, meter, plan);
    console.log(
      `${point.concurrency} at once: first token ${point.firstMs} ms, ${point.perSecond.toFixed(1)} a second`,
    );
    points.push(point);
  }
  const [cpu] = cpus();
  const fitted = fitCosts(rows);
  const each = (used: Used, amount: number) => amount / used.generations;
  return parseCosts({
    measuredOn: new Date().toISOString().slice(0, 10),
    machine: { cores: cpus().length, cpu: cpu?.model.trim() ?? 'unknown', node: process.version },
    frameMs: meter.frameMs,
    cpuMs: fitted,
    // No more than a whole generation, which was measured with less noise.
    beforeFirstMs: byProcess((name) =>
      Math.min(fitted.generation[name], each(beforeFirst, beforeFirst.total.cpuMs[name])),
    ),
    mainShare: meter.mainShares(),
    generation: {
      tokens: STANDARD.tokens,
      tokensPerSecond: 1_000 / STANDARD.delayMs,
      seconds: summary(standard.wholeMs)['median ms'] / 1_000,
      cpuMs: standard.cpuMs,
      frames: standard.frames,
      ...(await meter.temporalFigures(standard.ids)),
      redisCommands: each(standard, standard.total.redisCommands),
      redisNetworkBytes: each(standard, standard.total.redisNetworkBytes),
      runningLogBytes,
      ...(await meter.redisFigures(standard.ids)),
    },
    cache: {
      cpuMs: byProcess((name) => Math.max(0, cached.cpuMs[name] - short.cpuMs[name])),
      qdrantRequests: each(cached, cached.total.qdrantRequests),
      redisCommands: Math.max(
        0,
        each(cached, cached.total.redisCommands) - each(short, short.total.redisCommands),
      ),
    },
    memory: {
      ...idle,
      apiStreamMiB: Math.max(0, streams.apiMiB - idle.apiMiB) / STREAMS_AT_ONCE,
      workerStreamMiB: Math.max(0, streams.workerMiB - idle.workerMiB) / STREAMS_AT_ONCE,
    },
    provider: await measureProvider(stack),
    pointLoad: POINT_LOAD,
    points,
  });
}

async function measureRow(stack: Stack, meter: CostMeter, plan: RowPlan) {
  const before = await meter.read();
  const times = await load(plan.generations, plan.atOnce, () => generate(stack, plan));
  // A reader has the end before the workflow closes.
  await meter.untilClosed(times.slice(-plan.atOnce).map(({ id }) => id));
  const total = meter.since(before, await meter.read());
  const cpuMs = byProcess((name) => total.cpuMs[name] / plan.generations);
  const frames = total.appends / plan.generations;
  const own = ['API', 'worker', 'Temporal', 'Redis', 'Qdrant'] as const;
  const cells = own.map((name) => `${name} ${cpuMs[name].toFixed(1)}`).join(', ');
  console.log(
    `${plan.name}: CPU ms: ${cells}; ${frames.toFixed(1)} appends; others used ${total.otherCores.toFixed(2)} cores`,
  );
  return {
    total,
    cpuMs,
    frames,
    generations: plan.generations,
    tokens: plan.tokens,
    isAdopted: times.some(({ wholeMs }) => wholeMs > LIMITS.adoptLeasedStreamAfterMs),
    ids: times.map(({ id }) => id),
    wholeMs: times.map(({ wholeMs }) => wholeMs),
  };
}

/** Generations whose provider stays silent: all that they use until then comes before the first token. */
async function measureBeforeFirst(stack: Stack, meter: CostMeter): Promise<Used> {
  const totals: Used['total'][] = [];
  for (let round = 0; round < FIRST_ROUNDS; round += 1) {
    // What the round before left to do is over by then.
    await sleep(ROUND_SETTLE_MS);
    const before = await meter.read();
    const called: Promise<void>[] = [];
    const streams = Array.from({ length: FIRST_AT_ONCE }, () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      called.push(promise);
      return generate(stack, { tokens: 2, delayMs: 0, firstMs: SLOW_FIRST_MS, onCall: resolve });
    });
    await Promise.all(called);
    await sleep(AFTER_CALL_MS);
    totals.push(meter.since(before, await meter.read()));
    await meter.untilClosed((await Promise.all(streams)).map(({ id }) => id));
  }
  const [first] = totals;
  if (first === undefined) throw new Error('no rounds');
  const cpuMs = byProcess((name) => totals.reduce((sum, total) => sum + total.cpuMs[name], 0));
  return { total: { ...first, cpuMs }, generations: FIRST_ROUNDS * FIRST_AT_ONCE };
}

/** Just before their ends. */
async function measureRunningLogs(stack: Stack, meter: CostMeter): Promise<number> {
  const ids: string[] = [];
  const streams = Array.from({ length: SAMPLED_LOGS }, () =>
    generate(stack, { ...STANDARD, onStart: (id) => ids.push(id) }),
  );
  await sleep(STANDARD.tokens * STANDARD.delayMs * 0.95);
  const bytes = await meter.logBytes(ids);
  await Promise.all(streams);
  return bytes / ids.length;
}

async function measureStreams(stack: Stack, meter: CostMeter) {
  let running = 0;
  const { promise: allRun, resolve } = Promise.withResolvers<void>();
  const onCall = () => {
    running += 1;
    if (running === STREAMS_AT_ONCE) resolve();
  };
  const slow = { tokens: 20, delayMs: 500, firstMs: 0, onCall };
  const streams = Promise.all(Array.from({ length: STREAMS_AT_ONCE }, () => generate(stack, slow)));
  await Promise.race([allRun, streams]);
  await sleep(SETTLE_MS);
  const memory = meter.memory();
  await streams;
  return memory;
}

async function measurePoint(
  stack: Stack,
  meter: CostMeter,
  { concurrency, requests }: { readonly concurrency: number; readonly requests: number },
) {
  const before = await meter.read();
  const beganAt = performance.now();
  const times = await load(requests, concurrency, () => generate(stack, { ...POINT_LOAD, firstMs: 0 }));
  const seconds = (performance.now() - beganAt) / 1_000;
  const total = meter.since(before, await meter.read());
  const first = summary(times.map(({ firstMs }) => firstMs));
  const own = total.cpuMs;
  return {
    concurrency,
    requests,
    firstMeanMs: meanOf(times.map(({ firstMs }) => firstMs)),
    firstMs: first['median ms'],
    firstP99Ms: first['p99 ms'],
    perSecond: requests / seconds,
    cpuMs: (own.API + own.worker + own.Temporal + own.Redis + own.Qdrant) / requests,
    otherCores: total.otherCores,
  };
}

async function measureProvider(stack: Stack): Promise<Costs['provider']> {
  const times = await load(60, 1, () =>
    streamOnce({
      url: `${stack.sim.url}/v1/responses`,
      key: 'none',
      body: {
        model: 'sim-large',
        input: [{ role: 'user', content: promptOf({ ...POINT_LOAD, firstMs: 0 }) }],
        stream: true,
        background: true,
        store: true,
      },
      isText: ({ type }) => type === 'response.output_text.delta',
    }),
  );
  const firstMs = summary(times.map((sample) => sample.firstMs))['median ms'];
  const wholeMs = summary(times.map((sample) => sample.wholeMs))['median ms'];
  return { firstMs, tokenMs: (wholeMs - firstMs) / POINT_LOAD.tokens };
}

/** Three digits say enough. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value;
}
