/**
 * A constant load on the whole of the product for many minutes, and whether anything grows meanwhile: memory, heaps
 * after a collection, open files, what Redis holds, histories in Temporal.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOUR_MS } from '../../contracts/time.ts';
import { connectRedis, type RedisConnection } from '../../platform/redis/redis-connection.ts';
import { type SharedServices, startSharedServices } from '../../test/harness/shared-services.ts';
import { type Stack, startStack } from '../../test/harness/stack.ts';
import { closeTemporalClients } from '../../test/harness/streaming-worker.ts';
import { waitFor } from '../../test/harness/wait-for.ts';
import { openRuns } from './closed-run.ts';
import { INSPECTED_NODE } from './heap.ts';
import { round } from './load.ts';
import { useOf } from './process-use.ts';
import { bytesOf, keysLike } from './redis-use.ts';
import { type SoakLoad, startLoad } from './soak-load.ts';
import { createSampler, type Series } from './soak-samples.ts';
import { SMALL_SHARE, type Trend, trendOf, type Verdict, verdictOf } from './trend.ts';

/** Not a multiple of the load's round, so that samples do not always see the same moment of it. */
const SAMPLE_EVERY_MS = 4_700;
const PROGRESS_EVERY_MS = 60_000;
/** Logs of ended generations are kept for a day by default; here so short that their number settles in the run. */
const RETENTION_MS = 30_000;
const CLOSES_WITHIN_MS = 60_000;

interface SoakPlan {
  readonly minutes: number;
  /** Generations a second. */
  readonly rate: number;
}

/** @returns whether all generations ended as they should and nothing grew that must not. */
export async function benchSoak(plan: SoakPlan): Promise<boolean> {
  const services = await startSharedServices();
  const endings = [() => services.stop(), closeTemporalClients];
  try {
    const stack = await startStack({
      workers: 2,
      services: services.env,
      config: { retention: { logMs: RETENTION_MS } },
      env: { NODE_OPTIONS: INSPECTED_NODE, UNBROKEN_METRICS_PORT: '0' },
    });
    endings.unshift(() => stack.stop());
    const redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
    endings.unshift(async () => redis.destroy());
    return await soak(stack, services, redis, plan);
  } finally {
    for (const end of endings) await end();
  }
}

async function soak(
  stack: Stack,
  services: SharedServices,
  redis: RedisConnection,
  { minutes, rate }: SoakPlan,
): Promise<boolean> {
  console.log(
    `${rate} generations a second for ${minutes} minutes; one API, two workers; all processes and the load share ` +
      `${availableParallelism()} cores. Logs are kept for ${RETENTION_MS / 1_000} s.`,
  );
  const load = await startLoad(stack, rate);
  const sampler = await createSampler(stack, services, redis, load);
  const cpuBefore = cpuOf(stack, services);
  const beganAt = performance.now();
  const runMs = minutes * 60_000;
  let toldMs = 0;
  for (let dueMs = SAMPLE_EVERY_MS; dueMs <= runMs; dueMs += SAMPLE_EVERY_MS) {
    await sleep(Math.max(0, beganAt + dueMs - performance.now()));
    await sampler.sample();
    if (dueMs - toldMs < PROGRESS_EVERY_MS) continue;
    toldMs = dueMs;
    console.log(`${round(dueMs / 60_000)} min: ${load.done} done, ${load.failed} failed, ${load.atOnce} run`);
  }
  sampler.close();
  await load.stop();
  const cpu = cpuOf(stack, services).map(
    ([name, ms], index) => [name, ms - (cpuBefore[index]?.[1] ?? 0)] as const,
  );
  const open = await openAtEnd(stack);
  const grown = printTrends(sampler.series, runMs);
  await printKept(redis, load);
  const cpuPerGeneration = cpu.map(([name, ms]) => `${name} ${round(ms / load.done)}`).join(', ');
  console.log(`CPU ms a generation, with what is sampled: ${cpuPerGeneration}`);
  for (const failure of load.failures.slice(0, 10)) console.log(`FAILED: ${failure}`);
  console.log(`generations ${load.done} failed ${load.failed} open ${open} growing ${grown}`);
  return load.failed === 0 && open === 0 && grown === 0;
}

/** Runs that are still open a while after the last reader has its end. */
async function openAtEnd(stack: Stack): Promise<number> {
  const isNone = async () => (await openRuns(stack)) === 0;
  return waitFor('all runs to close', isNone, CLOSES_WITHIN_MS).then(
    () => 0,
    () => openRuns(stack),
  );
}

function cpuOf(stack: Stack, { pidOf }: SharedServices): (readonly [name: string, ms: number])[] {
  const seats = [...stack.apis, ...stack.workers].map((seat) => [seat.name, seat.pid()] as const);
  return [...seats, ...Object.entries(pidOf)].flatMap(([name, pid]) =>
    pid === undefined ? [] : [[name, useOf([pid]).cpuMs] as const],
  );
}

/** @returns how many of the series that must be flat grow. */
function printTrends(all: readonly Series[], runMs: number): number {
  const rows = all.map(({ name, isJudged, points }) => {
    const trend = trendOf(points);
    return { name, isJudged, trend, verdict: verdictOf(trend, runMs) };
  });
  const runHours = runMs / HOUR_MS;
  console.log(
    '\nSlopes by least squares over the last two thirds, with 95 % intervals that allow for the correlation of\n' +
      `neighbouring samples. flat: the slope adds less than ${SMALL_SHARE * 100} % of the mean in this run, or 0 lies within an\n` +
      'interval of 99.83 %, as so many series are judged at once.',
  );
  console.table(Object.fromEntries(rows.map(({ name, trend }) => [name, cellsOf(trend, runHours)])));
  for (const { name, isJudged, trend, verdict } of rows) {
    const most = share(trend.highPerHour * runHours, trend.mean);
    const label: string = isJudged ? verdict : `(${verdict}, not judged)`;
    const isSure = trend.lowPerHour > 0 || trend.highPerHour < 0;
    console.log(
      `${label.padEnd(6)} ${name}: ${isSure ? 'moves for sure' : 'the interval holds 0'}; at most ${most} in this run`,
    );
  }
  const grows: Verdict = 'grows';
  return rows.filter(({ isJudged, verdict }) => isJudged && verdict === grows).length;
}

function cellsOf({ mean, slopePerHour, lowPerHour, highPerHour }: Trend, runHours: number): object {
  return {
    mean: round(mean),
    'slope per hour': rounded(slopePerHour),
    '95 %': `${rounded(lowPerHour)} to ${rounded(highPerHour)}`,
    '% of mean per hour': share(slopePerHour, mean),
    'in this run': share(slopePerHour * runHours, mean),
  };
}

function share(value: number, mean: number): string {
  return mean === 0 ? (value === 0 ? '0 %' : 'all') : `${round((value / Math.abs(mean)) * 100)} %`;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

async function printKept(redis: RedisConnection, load: SoakLoad): Promise<void> {
  const kinds = { entries: 'ub:budget:*:entries:*', reservations: 'ub:budget:*:reservation:*' };
  const sizes = await Promise.all(
    Object.entries(kinds).map(async ([name, pattern]) => {
      const bytes = await bytesOf(redis, await keysLike(redis, pattern));
      return `${Math.round(bytes / (load.done + load.failed))} bytes of ${name}`;
    }),
  );
  console.log(`\nKept by design for each generation: ${sizes.join(', ')} (docs/operations.md#retention)`);
}
