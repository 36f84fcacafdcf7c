/**
 * Simulates generations on an installation: every request, token and append passes the processes that it passes in
 * reality, and each takes the CPU that was measured.
 */
import { LIMITS } from '../../../contracts/limits.ts';
import { createRandom, type Random } from '../../../test/harness/random.ts';
import type { Costs, MeasuredProcess } from './costs.ts';
import { MEASURED_PROCESSES } from './costs.ts';
import { Machine, Simulation, Station } from './simulation.ts';

export interface SimulatedLoad {
  readonly tokens: number;
  /** Of the provider: from its call to its first token, and from token to token. */
  readonly firstMs: number;
  readonly tokenMs: number;
  readonly requests: number;
  /** So many run at any time, or so many begin in a second, at random. */
  readonly arrivals: { readonly concurrency: number } | { readonly perSecond: number };
}

export interface Installation {
  /** All processes share these cores; null: each has its own. */
  readonly sharedCores: number | null;
  readonly apis: number;
  readonly workers: number;
  readonly temporalCores: number;
  readonly redisServers: number;
  /** Time before the first token that is no CPU: wake-ups of processes, timers, the kernel. */
  readonly waitMs: number;
  readonly seed: number;
}

export interface SimulatedRun {
  /** In the order of their ends: when each began, and how long its first text took from there. */
  readonly generations: readonly { readonly beganAtMs: number; readonly firstMs: number }[];
  readonly seconds: number;
  /** CPU of all generations by process. */
  readonly cpuMs: Readonly<Record<MeasuredProcess, number>>;
}

/** A process: its main thread has a queue; the work of its other threads holds up nobody. */
class SimulatedProcess {
  readonly #main: Station;
  readonly #others: Station;
  readonly #mainShare: number;
  readonly #spread: () => number;

  constructor(machines: { main: Machine; others: Machine }, shape: ProcessShape, spread: () => number) {
    this.#main = new Station(machines.main, shape.threads);
    this.#others = new Station(machines.others, OTHER_THREADS);
    this.#mainShare = shape.mainShare;
    this.#spread = spread;
  }

  use(cpuMs: number, done?: () => void): void {
    const demandMs = cpuMs * this.#spread();
    this.#others.use(demandMs * (1 - this.#mainShare));
    this.#main.use(demandMs * this.#mainShare, done);
  }

  get usedMs(): number {
    return this.#main.usedMs + this.#others.usedMs;
  }
}

interface ProcessShape {
  readonly threads: number;
  readonly mainShare: number;
}

const OTHER_THREADS = 4;
/** A demand is between half and one and a half times what was measured. */
const SPREAD = { from: 500, to: 1_500 };
/** A stream that is older is adopted by an activity. */
const ADOPTED_AFTER_MS = LIMITS.adoptLeasedStreamAfterMs;

export function simulateLoad(costs: Costs, load: SimulatedLoad, installation: Installation): SimulatedRun {
  const simulation = new Simulation();
  const random = createRandom(installation.seed);
  const spread = () => random.between(SPREAD.from, SPREAD.to) / 1_000;
  const processes = createProcesses(costs, installation, { simulation, spread });
  const generations: { beganAtMs: number; firstMs: number }[] = [];
  let begun = 0;
  let endedAtMs = 0;
  const begin = (onEnd: () => void) => {
    const number = begun++;
    const beganAtMs = simulation.nowMs;
    const parts: Parts = {
      simulation,
      costs,
      load,
      waitMs: installation.waitMs * spread(),
      of: (process) => processes[process][number % processes[process].length] as SimulatedProcess,
    };
    new SimulatedGeneration(parts, (firstMs) => {
      generations.push({ beganAtMs, firstMs });
      endedAtMs = simulation.nowMs;
      onEnd();
    }).begin();
  };
  const { arrivals } = load;
  const isMore = () => begun < load.requests;
  if ('concurrency' in arrivals) {
    const next = () => {
      if (isMore()) begin(next);
    };
    for (let client = 0; client < arrivals.concurrency; client += 1) next();
  } else {
    const arrive = () => {
      begin(() => undefined);
      if (isMore()) simulation.after(exponential(random, 1_000 / arrivals.perSecond), arrive);
    };
    arrive();
  }
  simulation.run(() => generations.length === load.requests);
  const cpuOf = (name: MeasuredProcess) => processes[name].reduce((sum, { usedMs }) => sum + usedMs, 0);
  return {
    generations,
    seconds: endedAtMs / 1_000,
    cpuMs: byProcess(cpuOf),
  };
}

/** A time of this mean, as between requests that do not know of each other. */
function exponential(random: Random, meanMs: number): number {
  return -Math.log(random.between(1, 1_000_000) / 1_000_000) * meanMs;
}

type Processes = Readonly<Record<MeasuredProcess, readonly SimulatedProcess[]>>;

function createProcesses(
  { mainShare }: Costs,
  { sharedCores, apis, workers, temporalCores, redisServers }: Installation,
  { simulation, spread }: { readonly simulation: Simulation; readonly spread: () => number },
): Processes {
  const shared = sharedCores === null ? null : new Machine(simulation, sharedCores);
  const create = (name: MeasuredProcess, cores: number) => {
    const machines = {
      main: shared ?? new Machine(simulation, cores),
      others: shared ?? new Machine(simulation, OTHER_THREADS),
    };
    return new SimulatedProcess(machines, { threads: cores, mainShare: mainShare[name] }, spread);
  };
  const several = (count: number, name: MeasuredProcess, cores = 1) =>
    Array.from({ length: count }, () => create(name, cores));
  return {
    API: several(apis, 'API'),
    worker: several(workers, 'worker'),
    Temporal: several(1, 'Temporal', temporalCores),
    Redis: several(redisServers, 'Redis'),
    Qdrant: several(1, 'Qdrant'),
    // With machines that are not shared, clients and provider are not what is measured.
    client: several(1, 'client', shared === null ? MANY : 1),
    provider: several(1, 'provider', shared === null ? MANY : 1),
  };
}

const MANY = 10_000;

export function byProcess(value: (name: MeasuredProcess) => number): Record<MeasuredProcess, number> {
  return Object.fromEntries(MEASURED_PROCESSES.map((name) => [name, value(name)])) as Record<
    MeasuredProcess,
    number
  >;
}

interface Parts {
  readonly simulation: Simulation;
  readonly costs: Costs;
  readonly load: SimulatedLoad;
  readonly waitMs: number;
  of(process: MeasuredProcess): SimulatedProcess;
}

class SimulatedGeneration {
  readonly #parts: Parts;
  readonly #onEnd: (firstMs: number) => void;
  #sent = 0;
  readonly #beganAtMs: number;
  #firstMs: number | null = null;
  #isRecorded = false;
  /** When the worker called the provider, and when it had the whole answer. */
  #calledAtMs = 0;
  #wholeAtMs = 0;
  #isAppending = false;
  #isWaitingForFrame = false;
  #appendedAtMs = Number.NEGATIVE_INFINITY;
  #produced = 0;
  /** Tokens that the worker has and that are not appended. */
  #pending = 0;
  #delivered = 0;

  constructor(parts: Parts, onEnd: (firstMs: number) => void) {
    this.#parts = parts;
    this.#onEnd = onEnd;
    this.#beganAtMs = parts.simulation.nowMs;
  }

  begin(): void {
    const { simulation, waitMs, load } = this.#parts;
    this.#before('client', () =>
      this.#before('API', () =>
        this.#before('Redis', () =>
          simulation.after(waitMs, () => {
            this.#before('Temporal', () => {
              this.#isRecorded = true;
              this.#append();
            });
            this.#before('worker', () => {
              this.#calledAtMs = simulation.nowMs;
              this.#before('provider', () => simulation.after(load.firstMs, () => this.#produce()));
            });
          }),
        ),
      ),
    );
  }

  #before(process: MeasuredProcess, done: () => void): void {
    const { costs, of } = this.#parts;
    of(process).use(costs.beforeFirstMs[process], done);
  }

  #produce(): void {
    const { costs, load, simulation, of } = this.#parts;
    const { token } = costs.cpuMs;
    of('provider').use(token.provider, () => {
      of('worker').use(token.worker, () => {
        this.#produced += 1;
        this.#wholeAtMs = simulation.nowMs;
        this.#pending += 1;
        this.#append();
      });
      this.#sent += 1;
      if (this.#sent < load.tokens) simulation.after(load.tokenMs, () => this.#produce());
    });
  }

  /** One append at a time; text waits for the end of its frame, but neither the first nor the last. */
  #append(): void {
    const { simulation, load, costs, of } = this.#parts;
    if (!this.#isRecorded || this.#isAppending || this.#pending === 0) return;
    const isLast = this.#produced === load.tokens;
    if (!isLast && simulation.nowMs - this.#appendedAtMs < costs.frameMs) {
      this.#waitForFrame();
      return;
    }
    this.#isAppending = true;
    this.#appendedAtMs = simulation.nowMs;
    const { frame, token } = costs.cpuMs;
    of('worker').use(frame.worker, () => {
      const tokens = this.#pending;
      this.#pending = 0;
      of('Redis').use(frame.Redis + tokens * token.Redis, () => {
        this.#isAppending = false;
        this.#append();
        of('API').use(frame.API + tokens * token.API, () =>
          of('client').use(frame.client + tokens * token.client, () => this.#deliver(tokens)),
        );
      });
    });
  }

  /** Frames of all streams end together, as the worker's clock has it. */
  #waitForFrame(): void {
    if (this.#isWaitingForFrame) return;
    this.#isWaitingForFrame = true;
    const { simulation, costs } = this.#parts;
    simulation.after(costs.frameMs - (simulation.nowMs % costs.frameMs), () => {
      this.#isWaitingForFrame = false;
      this.#appendedAtMs = Number.NEGATIVE_INFINITY;
      this.#append();
    });
  }

  #deliver(tokens: number): void {
    const { simulation, load } = this.#parts;
    this.#firstMs ??= simulation.nowMs - this.#beganAtMs;
    this.#delivered += tokens;
    if (this.#delivered < load.tokens) return;
    this.#finish();
    this.#onEnd(this.#firstMs);
  }

  /** What is left to do when the reader has the end: the workflow closes, the budget is settled. */
  #finish(): void {
    const { costs, of } = this.#parts;
    const isAdopted = this.#wholeAtMs - this.#calledAtMs > ADOPTED_AFTER_MS;
    for (const process of MEASURED_PROCESSES) {
      const { generation, adoption } = costs.cpuMs;
      const rest = Math.max(0, generation[process] - costs.beforeFirstMs[process]);
      of(process).use(rest + (isAdopted ? adoption[process] : 0));
    }
  }
}
