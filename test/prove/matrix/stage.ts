/**
 * All processes of the matrix, each with its own wire to each other: what can be killed, stopped and cut, and where
 * the clients are. Every process comes back on the same port and the same data.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../../tools/services/ports.ts';
import { findQdrantExecutable } from '../../../tools/services/programs/qdrant.js';
import { findRedisExecutable } from '../../../tools/services/programs/redis.js';
import { findTemporalExecutable } from '../../../tools/services/programs/temporal-cli.js';
import { startQdrant } from '../../../tools/services/provide-qdrant.ts';
import { startRedis } from '../../../tools/services/provide-redis.ts';
import { startTemporal } from '../../../tools/services/provide-temporal.ts';
import type { RunningProcess } from '../../../tools/services/run-process.ts';
import { PROJECT_ROOT, stopProcess } from '../../harness/child-process.ts';
import { connectSimulator, type Simulator } from '../../harness/simulator.ts';
import { newKey, type Seat, takeSeat } from '../../harness/stack.ts';
import { startTcpProxy, type TcpProxy } from '../../harness/tcp-proxy.ts';
import type { ProcessKind } from './plan-harm.ts';

export interface Wire extends TcpProxy {
  readonly name: string;
}

export interface Stage {
  /** Each kind of process, with all that are of it. */
  readonly seats: Readonly<Record<ProcessKind, readonly Seat[]>>;
  readonly wires: readonly Wire[];
  /** The APIs past their wires, as readers and callers reach them. */
  readonly apis: readonly string[];
  /** The readers' own ports, which no harm comes to. */
  readonly readers: readonly string[];
  readonly sim: Simulator;
  /** Past all wires, for those who look at the end. */
  readonly direct: {
    readonly TEMPORAL_ADDRESS: string;
    readonly REDIS_URL: string;
    readonly QDRANT_URL: string;
    readonly taskQueue: string;
  };
  readonly devKey: string;
  /** The folders in which readers keep what they got. */
  readonly notebooks: readonly string[];
  /** Where the provider keeps its bill. */
  readonly journalPath: string;
  stop(): Promise<void>;
}

interface StageOptions {
  /** Additional environment of APIs and workers. */
  readonly env?: Readonly<Record<string, string>>;
  /** Processes that read answers; none if false. */
  readonly hasReaders?: boolean;
  /** How long a batch at a vendor runs; it ends at once if absent. */
  readonly vendorBatchMs?: number;
}

export type EndableSeat = Seat & { end(): Promise<void> };

const silent = () => undefined;

/** @param config unbroken.config.yaml; a function receives the address at which all processes reach one provider. */
export async function buildStage(
  config: object | ((sharedProvider: string) => object),
  options: StageOptions = {},
): Promise<Stage> {
  const builder = new StageBuilder(options);
  try {
    return await builder.build(config);
  } catch (error) {
    await builder.stop();
    throw error;
  }
}

interface ServicePorts {
  readonly temporal: number;
  readonly ui: number;
  readonly redis: number;
  readonly qdrant: number;
  readonly provider: number;
}

/** Starts two of each process, and ends whatever it has started. */
class StageBuilder {
  readonly #env: Readonly<Record<string, string>>;
  readonly #hasReaders: boolean;
  readonly #vendorBatchMs: number;
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'unbroken-matrix-'));
  readonly #readingsDir = join(this.#dataDir, 'readings');
  readonly #journalPath = join(this.#dataDir, 'bill.ndjson');
  readonly #configPath = join(this.#dataDir, 'unbroken.config.yaml');
  readonly #devKey = newKey();
  readonly #taskQueue = `matrix-${randomUUID()}`;
  readonly #started: EndableSeat[] = [];
  readonly #wires: Wire[] = [];

  constructor({ env = {}, hasReaders = true, vendorBatchMs = 0 }: StageOptions) {
    this.#env = env;
    this.#hasReaders = hasReaders;
    this.#vendorBatchMs = vendorBatchMs;
    mkdirSync(this.#readingsDir);
    writeFileSync(this.#journalPath, '');
  }

  async build(config: object | ((sharedProvider: string) => object)): Promise<Stage> {
    const ports: ServicePorts = {
      temporal: await findFreePort(),
      ui: await findFreePort(),
      redis: await findFreePort(),
      qdrant: await findFreePort(),
      provider: await findFreePort(),
    };
    const services = await this.#startServices(ports);
    const sharedProvider = `http://${await this.#wire('all', 'provider', ports.provider)}`;
    // JSON is YAML.
    const file = typeof config === 'function' ? config(sharedProvider) : config;
    writeFileSync(this.#configPath, JSON.stringify(file));
    const worker = await two((index) => this.#startWorker(index, ports));
    const apiPorts = await two(findFreePort);
    const api = await two((index) => this.#startApi(index, apiPorts[index] ?? 0, ports));
    const readerPorts = this.#hasReaders ? await two(findFreePort) : [];
    const reader = await Promise.all(readerPorts.map((port, index) => this.#startReader(index, port)));
    return {
      seats: { ...services, api, worker, reader },
      wires: this.#wires,
      apis: await two(
        async (index) => `http://${await this.#wire('callers', `api ${index}`, apiPorts[index] ?? 0)}`,
      ),
      readers: readerPorts.map((port) => `http://127.0.0.1:${port}`),
      sim: connectSimulator(`http://127.0.0.1:${ports.provider}`),
      direct: {
        TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
        REDIS_URL: `redis://127.0.0.1:${ports.redis}`,
        QDRANT_URL: `http://127.0.0.1:${ports.qdrant}`,
        taskQueue: this.#taskQueue,
      },
      notebooks: readerPorts.map((_, index) => join(this.#readingsDir, String(index))),
      devKey: this.#devKey,
      journalPath: this.#journalPath,
      stop: () => this.stop(),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#started.toReversed().map((seat) => seat.end()));
    await Promise.all(this.#wires.map((wire) => wire.close()));
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  async #startServices(ports: ServicePorts) {
    const [temporalPath, redisPath, qdrantPath] = await Promise.all([
      findTemporalExecutable(silent),
      findRedisExecutable(silent),
      findQdrantExecutable(silent),
    ]);
    const common = { dataDir: this.#dataDir, report: silent };
    const temporal = async () => {
      const options = { ...common, executable: temporalPath, port: ports.temporal, uiPort: ports.ui };
      return (await startTemporal(options)).process;
    };
    const redis = async () =>
      (await startRedis({ ...common, executable: redisPath, port: ports.redis })).process;
    const qdrant = async () =>
      (await startQdrant({ ...common, executable: qdrantPath, port: ports.qdrant })).process;
    const batches = [
      '--batches',
      join(this.#dataDir, 'batches.ndjson'),
      '--batch-ms',
      String(this.#vendorBatchMs),
    ];
    const provider = ['--port', String(ports.provider), '--journal', this.#journalPath, ...batches];
    const seats = await Promise.all([
      this.#keep(serviceSeat('temporal', temporal)),
      this.#keep(serviceSeat('redis', redis)),
      this.#keep(serviceSeat('qdrant', qdrant)),
      this.#keep(takeSeat('provider', ['tools/simulator/main.ts', ...provider], {})),
    ]);
    return { temporal: [seats[0]], redis: [seats[1]], qdrant: [seats[2]], provider: [seats[3]] };
  }

  async #startWorker(index: number, ports: ServicePorts): Promise<Seat> {
    const entry = ['--import', './worker/vm-without-watchdog.ts', 'worker/main.ts'];
    const name = `worker ${index}`;
    return this.#keep(takeSeat(name, entry, await this.#environmentOf(name, ports)));
  }

  async #startApi(index: number, port: number, ports: ServicePorts): Promise<Seat> {
    const name = `api ${index}`;
    const environment = { ...(await this.#environmentOf(name, ports)), UNBROKEN_PORT: String(port) };
    return this.#keep(takeSeat(name, 'api/main.ts', environment));
  }

  #startReader(index: number, port: number): Promise<Seat> {
    const entry = ['test/prove/matrix/reader-main.ts', String(port), join(this.#readingsDir, String(index))];
    return this.#keep(takeSeat(`reader ${index}`, entry, {}));
  }

  async #environmentOf(name: string, ports: ServicePorts): Promise<Record<string, string>> {
    return {
      TEMPORAL_ADDRESS: await this.#wire(name, 'temporal', ports.temporal),
      REDIS_URL: `redis://${await this.#wire(name, 'redis', ports.redis)}`,
      QDRANT_URL: `http://${await this.#wire(name, 'qdrant', ports.qdrant)}`,
      UNBROKEN_SIMULATOR_URL: `http://${await this.#wire(name, 'provider', ports.provider)}`,
      UNBROKEN_TASK_QUEUE: this.#taskQueue,
      UNBROKEN_LOG_LEVEL: 'warn',
      UNBROKEN_CONFIG: this.#configPath,
      UNBROKEN_DATA_DIR: join(PROJECT_ROOT, '.unbroken', 'test'),
      UNBROKEN_DEV_KEY: this.#devKey,
      ...this.#env,
    };
  }

  async #wire(from: string, to: string, port: number): Promise<string> {
    const proxy = await startTcpProxy(port);
    this.#wires.push({ ...proxy, name: `${from} - ${to}` });
    return proxy.address;
  }

  async #keep(seat: Promise<EndableSeat>): Promise<Seat> {
    this.#started.push(await seat);
    return seat;
  }
}

const two = <Value>(make: (index: number) => Promise<Value>) => Promise.all([make(0), make(1)]);

/** A service of ours in a seat: killed without its knowledge, and started again on its data. */
export async function serviceSeat(name: string, start: () => Promise<RunningProcess>): Promise<EndableSeat> {
  let service = await start();
  let isRunning = true;
  const signal = (what: NodeJS.Signals) => process.kill(service.pid, what);
  const seat: EndableSeat = {
    name,
    pid: () => service.pid,
    isRunning: () => isRunning,
    log: () => `see ${service.logPath}`,
    kill: async () => {
      isRunning = false;
      signal('SIGKILL');
      await service.exited;
    },
    freeze: () => stopProcess(service.pid),
    thaw: async () => {
      signal('SIGCONT');
    },
    restart: async () => {
      service = await start();
      isRunning = true;
    },
    leave: async () => {
      isRunning = false;
      await service.stop();
      return null;
    },
    end: async () => {
      if (!isRunning) return;
      signal('SIGCONT');
      await service.stop();
    },
  };
  return seat;
}
