/** Reads what the processes of a stack have used, and what Temporal and Redis keep of generations. */
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULTS } from '../../../contracts/limits.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import type { SharedServices } from '../../../test/harness/shared-services.ts';
import type { Stack } from '../../../test/harness/stack.ts';
import { closedRun } from '../closed-run.ts';
import { childPid, mainThreadCpuMs, openFileBytes, useOf } from '../process-use.ts';
import { bytesOf, keysLike, redisUse } from '../redis-use.ts';
import { cpuOf, type Pids, pidsOf } from '../service-pids.ts';
import type { MeasuredProcess } from './costs.ts';
import { byProcess } from './simulate-load.ts';

/** Counts since the processes began. */
interface Reading {
  readonly atMs: number;
  readonly cpuMs: Readonly<Record<MeasuredProcess, number>>;
  readonly appends: number;
  readonly redisCommands: number;
  readonly redisNetworkBytes: number;
  readonly qdrantRequests: number;
  /** Of the whole machine. */
  readonly busyMs: number;
}

interface Difference extends Omit<Reading, 'atMs' | 'busyMs'> {
  /** Cores that programs used which are not part of the measurement. */
  readonly otherCores: number;
}

export interface Used {
  readonly total: Difference;
  readonly generations: number;
}

const INSPECTED = 20;

export class CostMeter {
  readonly frameMs = DEFAULTS.frameMs;
  readonly #stack: Stack;
  readonly #redis: RedisConnection;
  readonly #pids: Pids;
  readonly #providerPid: number;
  readonly #qdrantUrl: string;
  readonly #storedBefore: number;
  readonly #booksBefore: Promise<{ entries: number; reservations: number }>;
  #idle: Readonly<Record<MeasuredProcess, number>> = byProcess(() => 0);

  constructor(stack: Stack, services: SharedServices, redis: RedisConnection) {
    this.#stack = stack;
    this.#redis = redis;
    this.#pids = pidsOf(stack, services);
    this.#providerPid = childPid('tools/simulator/main.ts');
    this.#qdrantUrl = services.env['QDRANT_URL'] ?? '';
    this.#storedBefore = this.#storedBytes();
    this.#booksBefore = this.#bookBytes();
  }

  async read(): Promise<Reading> {
    const { commands, networkBytes } = await redisUse(this.#redis);
    return {
      atMs: performance.now(),
      cpuMs: this.#cpuMs(),
      appends: await this.#appends(),
      redisCommands: commands,
      redisNetworkBytes: networkBytes,
      qdrantRequests: await this.#qdrantRequests(),
      busyMs: busyMs(),
    };
  }

  /** Without what each process uses when nothing runs. */
  since(before: Reading, after: Reading): Difference {
    const seconds = (after.atMs - before.atMs) / 1_000;
    const used = byProcess((name) => after.cpuMs[name] - before.cpuMs[name]);
    const ours = Object.values(used).reduce((sum, ms) => sum + ms, 0);
    return {
      cpuMs: byProcess((name) => Math.max(0, used[name] - this.#idle[name] * seconds)),
      appends: after.appends - before.appends,
      redisCommands: after.redisCommands - before.redisCommands,
      redisNetworkBytes: after.redisNetworkBytes - before.redisNetworkBytes,
      qdrantRequests: after.qdrantRequests - before.qdrantRequests,
      otherCores: Math.max(0, (after.busyMs - before.busyMs - ours) / 1_000 / seconds),
    };
  }

  async measureIdle(forMs: number): Promise<void> {
    const before = await this.read();
    await sleep(forMs);
    const after = await this.read();
    const seconds = (after.atMs - before.atMs) / 1_000;
    this.#idle = byProcess((name) => (after.cpuMs[name] - before.cpuMs[name]) / seconds);
  }

  async untilClosed(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => closedRun(this.#stack, id)));
  }

  memory(): { readonly apiMiB: number; readonly workerMiB: number } {
    return {
      apiMiB: useOf([this.#pids.API]).residentMiB,
      workerMiB: useOf([this.#pids.worker]).residentMiB,
    };
  }

  /** Since the processes began; Temporal has no main thread, and of client and provider it is of no interest. */
  mainShares(): Record<MeasuredProcess, number> {
    const share = (pid: number) => mainThreadCpuMs(pid) / Math.max(1, useOf([pid]).cpuMs);
    const { API, worker, Redis } = this.#pids;
    const shares: Partial<Record<MeasuredProcess, number>> = {
      API: share(API),
      worker: share(worker),
      Redis: share(Redis),
      client: mainThreadCpuMs(process.pid) / Math.max(1, useOf([process.pid]).cpuMs),
      provider: share(this.#providerPid),
    };
    return byProcess((name) => shares[name] ?? 1);
  }

  async temporalFigures(ids: readonly string[]) {
    const runs = await Promise.all(ids.slice(-INSPECTED).map((id) => closedRun(this.#stack, id)));
    const mean = (value: (run: (typeof runs)[number]) => number) =>
      runs.reduce((sum, run) => sum + value(run), 0) / runs.length;
    const { all } = await this.#counted();
    return {
      historyEvents: mean(({ events }) => events),
      historyBytes: mean(({ bytes }) => bytes),
      stateWrites: mean(({ transitions }) => transitions),
      temporalBytes: Math.max(0, this.#storedBytes() - this.#storedBefore) / all,
    };
  }

  async redisFigures(ids: readonly string[]) {
    const inspected = ids.slice(-INSPECTED);
    const [before, after, { all }] = await Promise.all([
      this.#booksBefore,
      this.#bookBytes(),
      this.#counted(),
    ]);
    return {
      endedLogBytes: (await this.logBytes(inspected)) / inspected.length,
      entryBytes: (after.entries - before.entries) / all,
      reservationBytes: (after.reservations - before.reservations) / all,
    };
  }

  /** All keys of these logs. */
  async logBytes(ids: readonly string[]): Promise<number> {
    const keys = await Promise.all(ids.map((id) => keysLike(this.#redis, `ub:log:{${id}}:*`)));
    return bytesOf(this.#redis, keys.flat());
  }

  /** Generations of this Redis: each has a reservation, which is kept for days. */
  async #counted(): Promise<{ readonly all: number }> {
    const keys = await keysLike(this.#redis, 'ub:budget:*:reservation:*');
    return { all: Math.max(1, keys.length) };
  }

  async #bookBytes() {
    const bytes = async (pattern: string) => bytesOf(this.#redis, await keysLike(this.#redis, pattern));
    const [entries, reservations] = await Promise.all([
      bytes('ub:budget:*:entries:*'),
      bytes('ub:budget:*:reservation:*'),
    ]);
    return { entries, reservations };
  }

  #cpuMs(): Record<MeasuredProcess, number> {
    const own = cpuOf(this.#pids);
    const others = {
      client: useOf([process.pid]).cpuMs,
      provider: useOf([this.#providerPid]).cpuMs,
    };
    const all: Record<MeasuredProcess, number> = { ...own, ...others };
    return byProcess((name) => all[name]);
  }

  #storedBytes(): number {
    return openFileBytes(this.#pids.Temporal, '/temporal.db');
  }

  async #appends(): Promise<number> {
    const page = await textOf(`${metricsUrlOf(this.#stack)}/metrics`);
    return sumOf(page, 'unbroken_log_append_duration_seconds_count');
  }

  async #qdrantRequests(): Promise<number> {
    return sumOf(await textOf(`${this.#qdrantUrl}/metrics`), 'rest_responses_total');
  }
}

function metricsUrlOf({ workers }: Stack): string {
  return /"metricsUrl":"([^"]+)"/.exec(workers[0]?.log() ?? '')?.[1] ?? '';
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.text();
}

/** The sum over the series of this name on a page of Prometheus. */
function sumOf(page: string, name: string): number {
  const series = page.matchAll(new RegExp(`^${name}(?:\\{[^\\n]*\\})? (\\S+)$`, 'gm'));
  return [...series].reduce((sum, [, value]) => sum + Number(value), 0);
}

function busyMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
}
