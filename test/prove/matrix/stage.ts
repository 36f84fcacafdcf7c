/**
 * All processes of the matrix, each with its own wire to each other: what can be killed, stopped and cut, and where
 * the clients are. Every process comes back on the same port and the same data.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../../tools/services/ports.ts';
import { findQdrantExecutable, startQdrant } from '../../../tools/services/provide-qdrant.ts';
import { findRedisExecutable, startRedis } from '../../../tools/services/provide-redis.ts';
import { findTemporalExecutable, startTemporal } from '../../../tools/services/provide-temporal.ts';
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

type EndableSeat = Seat & { end(): Promise<void> };

const silent = () => undefined;

/**
 * @param config unbroken.config.yaml; made for a provider that all processes reach at one address where it is a function.
 * @param env more environment for APIs and workers.
 */
export async function buildStage(
  config: object | ((sharedProvider: string) => object),
  env: Readonly<Record<string, string>> = {},
): Promise<Stage> {
  const dataDir = mkdtempSync(join(tmpdir(), 'unbroken-matrix-'));
  const readingsDir = join(dataDir, 'readings');
  mkdirSync(readingsDir);
  const journalPath = join(dataDir, 'bill.ndjson');
  writeFileSync(journalPath, '');
  const configPath = join(dataDir, 'unbroken.config.yaml');
  const ended: EndableSeat[] = [];
  const wires: Wire[] = [];
  const stop = async () => {
    await Promise.all(ended.toReversed().map((seat) => seat.end()));
    await Promise.all(wires.map((wire) => wire.close()));
    rmSync(dataDir, { recursive: true, force: true });
  };
  const keep = async (seat: Promise<EndableSeat>): Promise<Seat> => {
    ended.push(await seat);
    return seat;
  };
  const wire = async (from: string, to: string, port: number): Promise<string> => {
    const proxy = await startTcpProxy(port);
    wires.push({ ...proxy, name: `${from} - ${to}` });
    return proxy.address;
  };
  try {
    const port = {
      temporal: await findFreePort(),
      ui: await findFreePort(),
      redis: await findFreePort(),
      qdrant: await findFreePort(),
      provider: await findFreePort(),
    };
    const [temporalPath, redisPath, qdrantPath] = await Promise.all([
      findTemporalExecutable(silent),
      findRedisExecutable(silent),
      findQdrantExecutable(silent),
    ]);
    const common = { dataDir, report: silent };
    const [temporal, redis, qdrant, provider] = await Promise.all([
      keep(
        serviceSeat('temporal', async () => {
          const ports = { port: port.temporal, uiPort: port.ui };
          return (await startTemporal({ ...common, executable: temporalPath, ...ports })).process;
        }),
      ),
      keep(
        serviceSeat(
          'redis',
          async () => (await startRedis({ ...common, executable: redisPath, port: port.redis })).process,
        ),
      ),
      keep(
        serviceSeat(
          'qdrant',
          async () => (await startQdrant({ ...common, executable: qdrantPath, port: port.qdrant })).process,
        ),
      ),
      keep(
        takeSeat(
          'provider',
          ['tools/simulator/main.ts', '--port', String(port.provider), '--journal', journalPath],
          {},
        ),
      ),
    ]);
    const sharedProvider = `http://${await wire('all', 'provider', port.provider)}`;
    // JSON is YAML.
    const file = typeof config === 'function' ? config(sharedProvider) : config;
    writeFileSync(configPath, JSON.stringify(file));
    const devKey = newKey();
    const taskQueue = `matrix-${randomUUID()}`;
    const environmentOf = async (name: string): Promise<Record<string, string>> => ({
      TEMPORAL_ADDRESS: await wire(name, 'temporal', port.temporal),
      REDIS_URL: `redis://${await wire(name, 'redis', port.redis)}`,
      QDRANT_URL: `http://${await wire(name, 'qdrant', port.qdrant)}`,
      UNBROKEN_SIMULATOR_URL: `http://${await wire(name, 'provider', port.provider)}`,
      UNBROKEN_TASK_QUEUE: taskQueue,
      UNBROKEN_LOG_LEVEL: 'warn',
      UNBROKEN_CONFIG: configPath,
      UNBROKEN_DATA_DIR: join(PROJECT_ROOT, '.unbroken', 'test'),
      UNBROKEN_DEV_KEY: devKey,
      ...env,
    });
    const two = <Value>(make: (index: number) => Promise<Value>) => Promise.all([make(0), make(1)]);
    const workers = await two(async (index) =>
      keep(
        takeSeat(
          `worker ${index}`,
          ['--import', './worker/vm-without-watchdog.ts', 'worker/main.ts'],
          await environmentOf(`worker ${index}`),
        ),
      ),
    );
    const apiPorts = await two(findFreePort);
    const apis = await two(async (index) =>
      keep(
        takeSeat(`api ${index}`, 'api/main.ts', {
          ...(await environmentOf(`api ${index}`)),
          UNBROKEN_PORT: String(apiPorts[index]),
        }),
      ),
    );
    const readerPorts = await two(findFreePort);
    const readers = await two((index) =>
      keep(
        takeSeat(
          `reader ${index}`,
          ['test/prove/matrix/reader-main.ts', String(readerPorts[index]), join(readingsDir, String(index))],
          {},
        ),
      ),
    );
    return {
      seats: {
        api: apis,
        worker: workers,
        temporal: [temporal],
        redis: [redis],
        qdrant: [qdrant],
        provider: [provider],
        reader: readers,
      },
      wires,
      apis: await two(
        async (index) => `http://${await wire('callers', `api ${index}`, apiPorts[index] ?? 0)}`,
      ),
      readers: readerPorts.map((readerPort) => `http://127.0.0.1:${readerPort}`),
      sim: connectSimulator(`http://127.0.0.1:${port.provider}`),
      direct: {
        TEMPORAL_ADDRESS: `127.0.0.1:${port.temporal}`,
        REDIS_URL: `redis://127.0.0.1:${port.redis}`,
        QDRANT_URL: `http://127.0.0.1:${port.qdrant}`,
        taskQueue,
      },
      notebooks: readerPorts.map((_, index) => join(readingsDir, String(index))),
      devKey,
      journalPath,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A service of ours in a seat: killed without its knowledge, and started again on its data. */
async function serviceSeat(name: string, start: () => Promise<RunningProcess>): Promise<EndableSeat> {
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
