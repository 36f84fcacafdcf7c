/** What the simulation says, in simulated.json: next to the measured points, and of processes that are fuller. */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { meanOf, summary } from '../load.ts';
import { COSTS_PATH, type Costs, OWN_PROCESSES, type Point } from './costs.ts';
import { needsOf } from './needs.ts';
import { type Installation, type SimulatedLoad, type SimulatedRun, simulateLoad } from './simulate-load.ts';

const SIMULATED_PATH = join(import.meta.dirname, 'simulated.json');
const SEED = 20_261_129;
/** Of arrivals at random; the first seconds, in which streams have not piled up yet, are not looked at. */
const OPEN_SECONDS = 40;
const WARM_UP_MS = 10_000;
const SHARES = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
/** Larger installations are this one several times. */
const SIMULATED_PER_DAY = 1e6;
const NEVER_FULL_CORES = 64;
const LEAST_CORES = 0.25;
const CALIBRATION_STEPS = 6;

const firstSchema = z.object({ firstMeanMs: z.number(), firstMs: z.number(), firstP99Ms: z.number() });
const simulatedSchema = z.object({
  /** Of measured.json, which it was made of. */
  costsHash: z.string(),
  /** Chosen so that the first point is met; the others are predictions. */
  waitMs: z.number(),
  points: z.array(firstSchema.extend({ concurrency: z.number(), perSecond: z.number(), cpuMs: z.number() })),
  shares: z.array(firstSchema.extend({ share: z.number() })),
  /** The processes that the plan has for a million a day, at its peak. */
  plan: firstSchema.extend({ perDay: z.number() }),
});
export type Simulated = z.output<typeof simulatedSchema>;

export function readSimulated(): Simulated {
  return simulatedSchema.parse(JSON.parse(readFileSync(SIMULATED_PATH, 'utf8')));
}

export function writeSimulated(simulated: Simulated): void {
  writeFileSync(SIMULATED_PATH, `${JSON.stringify(simulated, null, 2)}\n`);
}

export function hashOfCosts(): string {
  return createHash('sha256').update(readFileSync(COSTS_PATH)).digest('hex').slice(0, 16);
}

export function simulateScale(costs: Costs): Simulated {
  const waitMs = calibratedWaitMs(costs);
  return {
    costsHash: hashOfCosts(),
    waitMs,
    points: costs.points.map((point) => simulatePoint(costs, point, waitMs)),
    shares: SHARES.map((share) => ({ share, ...simulateShare(costs, share, waitMs) })),
    plan: { perDay: SIMULATED_PER_DAY, ...simulatePlan(costs, waitMs) },
  };
}

/**
 * What the first token takes at the lowest concurrency beyond the CPU of its path. By steps: a longer wait also lets
 * more of the work of the generation before it end.
 */
function calibratedWaitMs(costs: Costs): number {
  const [first] = costs.points;
  if (first === undefined) throw new Error('no measured point');
  let waitMs = 0;
  for (let step = 0; step < CALIBRATION_STEPS; step += 1) {
    waitMs = Math.max(0, waitMs + first.firstMeanMs - simulatePoint(costs, first, waitMs).firstMeanMs);
  }
  return rounded(waitMs);
}

/** The machine of the measurement. */
export function simulatePoint(
  costs: Costs,
  point: Pick<Point, 'concurrency' | 'requests' | 'otherCores'>,
  waitMs: number,
) {
  const { concurrency, requests } = point;
  const load = { ...providerOf(costs), tokens: costs.pointLoad.tokens, requests, arrivals: { concurrency } };
  const run = simulateLoad(costs, load, {
    sharedCores: coresOf(costs, point),
    apis: 1,
    workers: 1,
    temporalCores: costs.machine.cores,
    redisServers: 1,
    waitMs,
    seed: SEED,
  });
  const cpuMs = OWN_PROCESSES.reduce((sum, name) => sum + run.cpuMs[name], 0);
  return {
    concurrency,
    ...firstOf(run, 0),
    perSecond: rounded(requests / run.seconds),
    cpuMs: rounded(cpuMs / requests),
  };
}

/**
 * The cores that other programs left. While much runs, they get only what the scheduler gives them in any case; while
 * little runs, they use what would be free.
 */
function coresOf({ machine, points }: Costs, { otherCores }: Pick<Point, 'otherCores'>): number {
  const atMost = points.at(-1)?.otherCores ?? 0;
  return Math.max(LEAST_CORES, machine.cores - Math.min(otherCores, atMost));
}

/** The provider's own first token has its CPU in it, which the simulation adds. */
function providerOf({ provider, beforeFirstMs, cpuMs }: Costs) {
  return {
    firstMs: Math.max(0, provider.firstMs - beforeFirstMs.provider - beforeFirstMs.client),
    tokenMs: Math.max(0, provider.tokenMs - cpuMs.token.provider),
  };
}

/** One API, one worker and one Redis, so loaded that the busiest main thread works for this share of the time. */
function simulateShare(costs: Costs, share: number, waitMs: number) {
  const mainMs = (['API', 'worker', 'Redis'] as const).map(
    (name) => costs.generation.cpuMs[name] * costs.mainShare[name],
  );
  return simulateOpen(costs, (share * 1_000) / Math.max(...mainMs), {
    apis: 1,
    workers: 1,
    temporalCores: NEVER_FULL_CORES,
    redisServers: 1,
    waitMs,
  });
}

function simulatePlan(costs: Costs, waitMs: number) {
  const { peakPerSecond, engines } = needsOf(costs, SIMULATED_PER_DAY);
  return simulateOpen(costs, peakPerSecond, {
    apis: engines.API.processes,
    workers: engines.worker.processes,
    temporalCores: engines.Temporal.nodes * engines.Temporal.node.cores,
    redisServers: engines.Redis.processes / 2,
    waitMs,
  });
}

function simulateOpen(
  costs: Costs,
  perSecond: number,
  installation: Omit<Installation, 'sharedCores' | 'seed'>,
) {
  const { tokens, tokensPerSecond } = costs.generation;
  const load: SimulatedLoad = {
    firstMs: providerOf(costs).firstMs,
    tokenMs: 1_000 / tokensPerSecond,
    tokens,
    requests: Math.ceil(perSecond * OPEN_SECONDS),
    arrivals: { perSecond },
  };
  return firstOf(simulateLoad(costs, load, { ...installation, sharedCores: null, seed: SEED }), WARM_UP_MS);
}

function firstOf({ generations }: SimulatedRun, fromMs: number) {
  const times = generations.filter(({ beganAtMs }) => beganAtMs >= fromMs).map(({ firstMs }) => firstMs);
  const first = summary(times);
  return {
    firstMeanMs: rounded(meanOf(times)),
    firstMs: first['median ms'],
    firstP99Ms: first['p99 ms'],
  };
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
