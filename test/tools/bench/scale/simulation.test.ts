/** The queues of the simulation against Erlang, and the simulated generations against what they must keep. */
import { describe, expect, test } from '@jest/globals';
import { fitCosts } from '../../../../tools/bench/scale/fit-costs.ts';
import { simulateLoad } from '../../../../tools/bench/scale/simulate-load.ts';
import { simulatePoint } from '../../../../tools/bench/scale/simulate-scale.ts';
import { Machine, Simulation, Station } from '../../../../tools/bench/scale/simulation.ts';
import { createRandom } from '../../../harness/random.ts';
import { costsWith } from './made-up-costs.ts';

const SERVICE_MS = 10;
const CUSTOMERS = 60_000;

/** The mean wait of customers that arrive at random at a process with so many threads. */
function meanWaitMs(threads: number, load: number): number {
  const simulation = new Simulation();
  const station = new Station(new Machine(simulation, threads), threads);
  const random = createRandom(2);
  const exponential = (meanMs: number) => -Math.log(random.between(1, 1_000_000) / 1_000_000) * meanMs;
  let [arrived, waitedMs] = [0, 0];
  const arrive = () => {
    arrived += 1;
    const arrivedAtMs = simulation.nowMs;
    const demandMs = exponential(SERVICE_MS);
    station.use(demandMs, () => {
      waitedMs += simulation.nowMs - arrivedAtMs - demandMs;
    });
    if (arrived < CUSTOMERS) simulation.after(exponential(SERVICE_MS / (threads * load)), arrive);
  };
  arrive();
  simulation.run();
  return waitedMs / arrived;
}

/** Erlang's C formula: the mean wait of an M/M/c queue. */
function erlangWaitMs(threads: number, load: number): number {
  const offered = threads * load;
  let [term, sum] = [1, 1];
  for (let count = 1; count < threads; count += 1) {
    term *= offered / count;
    sum += term;
  }
  const last = (term * offered) / threads / (1 - load);
  return ((last / (sum + last)) * SERVICE_MS) / (threads * (1 - load));
}

describe('a simulated process', () => {
  test.each([
    [1, 0.5],
    [1, 0.8],
    [3, 0.7],
  ])(
    'with %i threads that work for %f of the time lets its customers wait as Erlang says',
    (threads, load) => {
      const expected = erlangWaitMs(threads, load);
      expect(Math.abs(meanWaitMs(threads, load) / expected - 1)).toBeLessThan(0.08);
    },
  );

  test('shares cores: four jobs of 10 ms on two cores take 20 ms, and a fifth that comes later its part', () => {
    const simulation = new Simulation();
    const machine = new Machine(simulation, 2);
    const ends: number[] = [];
    const note = () => ends.push(simulation.nowMs);
    for (let job = 0; job < 4; job += 1) machine.start(10, note);
    simulation.run();
    expect(ends).toEqual([20, 20, 20, 20]);
    machine.start(10, note);
    simulation.after(5, () => machine.start(10, note));
    simulation.run();
    expect(ends.slice(4)).toEqual([30, 35]);
  });

  test('works for one customer after the other', () => {
    const simulation = new Simulation();
    const station = new Station(new Machine(simulation, 8), 1);
    const ends: number[] = [];
    for (const demandMs of [10, 5, 1]) station.use(demandMs, () => ends.push(simulation.nowMs));
    simulation.run();
    expect(ends).toEqual([10, 15, 16]);
    expect(station.usedMs).toBe(16);
  });
});

describe('a simulated load', () => {
  const load = { tokens: 20, firstMs: 3, tokenMs: 5, requests: 60, arrivals: { concurrency: 4 } };
  const installation = {
    sharedCores: 2,
    apis: 1,
    workers: 1,
    temporalCores: 2,
    redisServers: 1,
    waitMs: 2,
    seed: 3,
  };

  test('is the same for the same seed, and another for another', () => {
    const first = simulateLoad(costsWith(), load, installation);
    expect(simulateLoad(costsWith(), load, installation)).toEqual(first);
    expect(simulateLoad(costsWith(), load, { ...installation, seed: 4 })).not.toEqual(first);
  });

  test('uses the CPU of the costs, with as many appends as frames of the answer', () => {
    const { cpuMs, generations } = simulateLoad(
      costsWith(),
      { ...load, arrivals: { concurrency: 1 } },
      installation,
    );
    expect(generations).toHaveLength(load.requests);
    // 95 ms of tokens in frames of 10 ms, and the first and the last alone.
    const appends = (cpuMs.Redis / load.requests - 1) / 0.05;
    expect(appends).toBeGreaterThan(8);
    expect(appends).toBeLessThan(14);
    expect(cpuMs.Temporal / load.requests).toBeCloseTo(6, 0);
  });

  test('at more at once: first tokens come later, and no more generations end than the cores can do', () => {
    const at = (concurrency: number) =>
      simulatePoint(costsWith(), { concurrency, requests: 150, otherCores: 0 }, 0);
    const [single, some, many] = [at(1), at(20), at(100)];
    expect(some.firstMs).toBeGreaterThan(single.firstMs);
    expect(many.firstMs).toBeGreaterThan(some.firstMs);
    // Two cores, and each generation takes them for all that its processes compute.
    const { cpuMs } = costsWith();
    const perGeneration = Object.values(cpuMs.generation).reduce((sum, ms) => sum + ms, 0);
    expect(many.perSecond).toBeLessThan(2_000 / perGeneration);
    expect(many.perSecond).toBeGreaterThan(0.5 * (2_000 / perGeneration));
  });
});

test('costs are fitted from what generations of several kinds use', () => {
  const { cpuMs } = costsWith();
  const kinds = [
    { tokens: 2, frames: 3, isAdopted: false },
    { tokens: 1_000, frames: 20, isAdopted: false },
    { tokens: 60, frames: 40, isAdopted: false },
    { tokens: 2, frames: 3, isAdopted: true },
    { tokens: 300, frames: 250, isAdopted: true },
  ];
  const sum = (kind: (typeof kinds)[number], name: keyof typeof cpuMs.token) =>
    cpuMs.generation[name] +
    kind.tokens * cpuMs.token[name] +
    kind.frames * cpuMs.frame[name] +
    (kind.isAdopted ? cpuMs.adoption[name] : 0);
  const names = Object.keys(cpuMs.token) as (keyof typeof cpuMs.token)[];
  const rows = kinds.map((kind) => ({
    ...kind,
    cpuMs: Object.fromEntries(names.map((name) => [name, sum(kind, name)])) as typeof cpuMs.token,
  }));
  const fitted = fitCosts(rows);
  for (const part of ['generation', 'token', 'frame', 'adoption'] as const)
    for (const name of names) expect(fitted[part][name]).toBeCloseTo(cpuMs[part][name], 2);
});
