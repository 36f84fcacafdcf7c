/** A whole Unbroken of real processes: simulated provider, workers and APIs, on the shared services. */
import { randomInt, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreateKey, NewKey } from '../../contracts/keys.ts';
import { findFreePort } from '../../tools/services/ports.ts';
import { REDIS_DATABASES } from '../../tools/services/redis-databases.ts';
import { announcedServices } from './announced-services.ts';
import { type ChildHandle, PROJECT_ROOT, startChild } from './child-process.ts';
import { connectSimulator, type Simulator } from './simulator.ts';
import { connectApi, type UnbrokenApi } from './unbroken-api.ts';

/** Shared by all stacks: the workflow bundle, which takes seconds, is kept there. */
export const TEST_DATA_DIR = join(PROJECT_ROOT, '.unbroken', 'test');

interface StackPlan {
  readonly workers?: number;
  readonly apis?: number;
  /** Written as unbroken.config.yaml; made for the address of the simulated provider where it is a function. */
  readonly config?: object | ((simulatorUrl: string) => object);
  /** More environment for its processes, such as keys of providers. */
  readonly env?: Readonly<Record<string, string>>;
  /** More environment for one worker. */
  readonly workerEnv?: (index: number) => Readonly<Record<string, string>>;
  /** Where Temporal, Redis and Qdrant are; absent: those of the whole run. */
  readonly services?: Readonly<Record<string, string>>;
}

/** A place for one process: what runs there changes with each restart, its name and address do not. */
export interface Seat {
  readonly name: string;
  pid(): number;
  isRunning(): boolean;
  log(): string;
  /** SIGKILL: resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: for everybody else it is dead, for itself no time passes. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** SIGTERM: resolves when the process has ended by itself, with its exit code. */
  leave(): Promise<number | null>;
  /** Starts the process again; resolves when it is ready. */
  restart(): Promise<void>;
}

export interface Stack {
  readonly sim: Simulator;
  readonly workers: readonly Seat[];
  readonly apis: readonly Seat[];
  /** The first API. */
  readonly api: UnbrokenApi;
  /** Where the others are. */
  readonly otherApis: readonly string[];
  /** The environment of its processes, for clients of Temporal and Redis. */
  readonly env: Readonly<Record<string, string>>;
  /** Makes a new key, by default one that may generate for all users of its tenant, and returns it. */
  addKey(owner: CreateKey): Promise<string>;
  stop(): Promise<void>;
}

export async function startStack(plan: StackPlan = {}): Promise<Stack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'unbroken-stack-'));
  const seats: Promise<Seat & { end(): Promise<void> }>[] = [];
  const endings: (() => Promise<void>)[] = [];
  const stop = async () => {
    // If one process could not be started, the others may still be starting.
    const taken = await Promise.allSettled(seats);
    const ends = taken.flatMap((seat) => (seat.status === 'fulfilled' ? [seat.value.end()] : []));
    await Promise.all([...ends, ...endings.map((end) => end())]);
    rmSync(dataDir, { recursive: true, force: true });
  };
  const add = (name: string, entry: string | readonly string[], environment: Record<string, string>) => {
    const seat = takeSeat(name, entry, environment);
    seats.push(seat);
    return seat;
  };
  try {
    const simulator = await startChild('simulator', 'tools/simulator/main.ts', {});
    endings.push(() => simulator.end());
    const configPath = join(dataDir, 'unbroken.config.yaml');
    // JSON is YAML.
    const config = typeof plan.config === 'function' ? plan.config(simulator.url) : (plan.config ?? {});
    writeFileSync(configPath, JSON.stringify(withPatience(config)));
    const key = newKey();
    const env: Record<string, string> = {
      ...(plan.services ?? servicesOfOneStack()),
      UNBROKEN_TASK_QUEUE: `test-${randomUUID()}`,
      UNBROKEN_SIMULATOR_URL: simulator.url,
      UNBROKEN_LOG_LEVEL: 'warn',
      UNBROKEN_CONFIG: configPath,
      UNBROKEN_DATA_DIR: TEST_DATA_DIR,
      UNBROKEN_DEV_KEY: key,
      ...plan.env,
    };
    const ports = await Promise.all(Array.from({ length: plan.apis ?? 1 }, findFreePort));
    const [workers, apis] = await Promise.all([
      Promise.all(
        Array.from({ length: plan.workers ?? 1 }, (_, index) =>
          add(`worker ${index}`, ['--import', './worker/vm-without-watchdog.ts', 'worker/main.ts'], {
            ...env,
            ...plan.workerEnv?.(index),
          }),
        ),
      ),
      Promise.all(
        ports.map((port, index) =>
          add(`api ${index}`, 'api/main.ts', { ...env, UNBROKEN_PORT: String(port) }),
        ),
      ),
    ]);
    const api = connectApi(`http://127.0.0.1:${ports[0]}`, key);
    return {
      sim: connectSimulator(simulator.url),
      workers,
      apis,
      api,
      otherApis: ports.slice(1).map((port) => `http://127.0.0.1:${port}`),
      env,
      addKey: (owner) => addKey(api, owner),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * A look-up in the cache ends without a hit after 150 ms, which a busy machine takes for nothing. With more time its
 * models can be loaded when they are needed; most suites need none.
 */
function withPatience(config: object): object {
  const cache = 'cache' in config && typeof config.cache === 'object' ? config.cache : {};
  return { ...config, cache: { lookUpMs: 60_000, warmUp: false, ...cache } };
}

export async function takeSeat(
  name: string,
  entry: string | readonly string[],
  environment: Record<string, string>,
): Promise<Seat & { end(): Promise<void> }> {
  let child: ChildHandle = await startChild(name, entry, environment);
  return {
    name,
    pid: () => child.pid,
    isRunning: () => child.isRunning(),
    log: () => child.log(),
    kill: () => child.signal('SIGKILL'),
    freeze: () => child.signal('SIGSTOP'),
    thaw: () => child.signal('SIGCONT'),
    leave: async () => {
      await child.signal('SIGTERM');
      return child.exitCode();
    },
    restart: async () => {
      child = await startChild(name, entry, environment);
    },
    end: () => child.end(),
  };
}

export async function addKey(api: UnbrokenApi, owner: CreateKey): Promise<string> {
  const response = await api.send('/v1/keys', {
    method: 'POST',
    body: JSON.stringify({ scopes: ['generate', 'any-user'], ...owner }),
  });
  if (response.status !== 201) throw new Error(`no key: ${response.status} ${await response.text()}`);
  const { key } = (await response.json()) as NewKey;
  return key;
}

/**
 * The services of the whole run, with a Redis database of this stack's own: circuits and limits are no other suite's.
 */
function servicesOfOneStack(): Record<string, string> {
  const { REDIS_URL, ...others } = announcedServices();
  // A Redis that the environment provides may have only one database.
  if (REDIS_URL === undefined || process.env['REDIS_URL']) return announcedServices();
  return { ...others, REDIS_URL: `${REDIS_URL}/${randomInt(1, REDIS_DATABASES)}` };
}

export function newKey(): string {
  return `ub_test_${randomUUID().replaceAll('-', '')}`;
}
