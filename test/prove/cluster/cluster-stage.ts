/**
 * A whole cluster on loopback: two nodes of Temporal on PostgreSQL, a Redis Cluster of six, three nodes of Qdrant,
 * three APIs, three workers, and HAProxy before them. Each process can be killed, and comes back on its port and data.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { birthOf } from '../../../tools/services/pid-file.ts';
import type { Report } from '../../../tools/services/programs/service-error.js';
import { type RedisCluster, startRedisCluster } from '../../../tools/services/redis-cluster.ts';
import type { ClusterNode } from '../../../tools/services/redis-cluster-node.ts';
import type { RunningProcess } from '../../../tools/services/run-process.ts';
import { checkNamespace } from '../../../tools/services/temporal-namespace.ts';
import { PROJECT_ROOT } from '../../harness/child-process.ts';
import { registerNamespace } from '../../harness/register-namespace.ts';
import { connectSimulator } from '../../harness/simulator.ts';
import { newKey, type Seat, takeSeat } from '../../harness/stack.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type EndableSeat, type Stage, serviceSeat } from '../matrix/stage.ts';
import { fixedPort } from './parts/fixed-port.ts';
import { type ClusterFront, prepareFront } from './parts/front.ts';
import { type Postgres, preparePostgres } from './parts/postgres.ts';
import { isQdrantWhole, prepareQdrantNodes, type QdrantNode } from './parts/qdrant-nodes.ts';
import {
  isServing,
  prepareDatabases,
  prepareTemporalNode,
  type TemporalNode,
} from './parts/temporal-nodes.ts';
import { findTemporalPrograms } from './parts/temporal-programs.ts';

const APIS = 3;
const WORKERS = 3;
const READERS = 2;
const TEMPORAL_NODES = 2;
const QDRANT_NODES = 3;
/** A cluster has none until it is created. */
const NAMESPACE = 'default';
/** A node of Redis that is silent for this long is replaced by its replica. */
const NODE_TIMEOUT_MS = 2_000;
const WHOLE_WITHIN_MS = 120_000;
/** A worker that starts while a service is down ends, and is started again. */
const STARTED_WITHIN_MS = 300_000;

/** Services that are whole again on their own. */
export type Group = 'redis' | 'temporal' | 'qdrant';

export interface ClusterStage extends Stage {
  readonly postgres: Seat;
  readonly front: Seat;
  readonly redis: RedisCluster;
  /** Resolves when all nodes of this group serve, and what is kept twice is there twice. */
  untilWhole(group: Group): Promise<void>;
  queryPostgres(sql: string): Promise<string>;
  /** Starts as many workers as there are, beside them. @param buildId of their version */
  addWorkers(buildId: string): Promise<readonly Seat[]>;
  /** Takes workers that have left off the stage. */
  removeWorkers(left: readonly Seat[]): void;
}

/** @param config unbroken.config.yaml, for the address at which all processes reach one provider. */
export async function buildClusterStage(
  config: (provider: string) => object,
  report: Report,
): Promise<ClusterStage> {
  const builder = new ClusterBuilder(report);
  try {
    return await builder.build(config);
  } catch (error) {
    await builder.stop();
    throw error;
  }
}

interface Nodes {
  readonly postgres: Postgres;
  readonly temporal: readonly TemporalNode[];
  readonly redis: RedisCluster;
  readonly qdrant: readonly QdrantNode[];
}

/** Starts everything, and ends whatever it has started. */
class ClusterBuilder {
  readonly #report: Report;
  readonly #dataDir = mkdtempSync(join(tmpdir(), 'unbroken-cluster-'));
  readonly #readingsDir = join(this.#dataDir, 'readings');
  readonly #journalPath = join(this.#dataDir, 'bill.ndjson');
  readonly #configPath = join(this.#dataDir, 'unbroken.config.yaml');
  readonly #devKey = newKey();
  readonly #taskQueue = `cluster-${randomUUID()}`;
  readonly #workers: EndableSeat[] = [];
  /** In the order of their start. */
  readonly #started: EndableSeat[] = [];
  #workerCount = 0;
  #isStopped = false;
  #postgres: Postgres | undefined;
  #redis: RedisCluster | undefined;
  #authorities: string[] | undefined;

  constructor(report: Report) {
    this.#report = report;
    mkdirSync(this.#readingsDir);
    writeFileSync(this.#journalPath, '');
  }

  async build(config: (provider: string) => object): Promise<ClusterStage> {
    const nodes = await this.#prepareNodes();
    const apiPorts = await times(APIS, fixedPort);
    const front = await prepareFront({
      dataDir: this.#dataDir,
      apis: apiPorts.map((port) => `127.0.0.1:${port}`),
      temporal: nodes.temporal.map(({ address }) => address),
      qdrant: nodes.qdrant.map(({ url }) => new URL(url).host),
      report: this.#report,
    });
    this.#trust(front.certificate);
    const seats = await this.#startServices(nodes);
    const frontSeat = await this.#service('front', front.start);
    await this.#prepareNamespace(nodes);
    const provider = await this.#startProvider();
    writeFileSync(this.#configPath, JSON.stringify(config(`http://127.0.0.1:${provider.port}`)));
    const environment = this.#environment(nodes, front, provider.port);
    await times(WORKERS, () => this.#startWorker(environment));
    const api = await times(APIS, (index) => this.#startApi(index, apiPorts[index] ?? 0, environment));
    // The front has taken the APIs for dead while they started.
    await waitFor('the front to reach an API', () => isReady(front.url));
    const readerPorts = await times(READERS, fixedPort);
    const reader = await times(READERS, (index) => this.#startReader(index, readerPorts[index] ?? 0, front));
    return {
      seats: { ...seats, api, worker: this.#workers, provider: [provider.seat], reader },
      wires: [],
      apis: [front.url],
      readers: readerPorts.map((port) => `http://127.0.0.1:${port}`),
      sim: connectSimulator(`http://127.0.0.1:${provider.port}`),
      direct: {
        TEMPORAL_ADDRESS: front.temporalAddress,
        REDIS_URL: environment['REDIS_URL'] ?? '',
        QDRANT_URL: front.qdrantUrl,
        taskQueue: this.#taskQueue,
      },
      devKey: this.#devKey,
      notebooks: readerPorts.map((_, index) => join(this.#readingsDir, String(index))),
      journalPath: this.#journalPath,
      postgres: seats.postgres,
      front: frontSeat,
      redis: nodes.redis,
      untilWhole: (group) =>
        waitFor(`${group} to be whole`, () => isWhole(group, nodes), WHOLE_WITHIN_MS).then(),
      queryPostgres: (sql) => nodes.postgres.query(sql),
      addWorkers: async (buildId) => {
        const own = { ...environment, TEMPORAL_WORKER_BUILD_ID: buildId };
        const seats: Seat[] = [];
        // In turn: each one takes a processor for seconds.
        while (seats.length < WORKERS) seats.push(await this.#startWorker(own));
        return seats;
      },
      removeWorkers: (left) => {
        for (const seat of left)
          this.#workers.splice(
            this.#workers.findIndex(({ name }) => name === seat.name),
            1,
          );
      },
      stop: () => this.stop(),
    };
  }

  /** Those that depend on others end first. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const ends = this.#started.splice(0);
    for (const names of [/^(?:api|worker|reader)/, /^(?!postgres)/, /^postgres/]) {
      const next = ends.filter(({ name }) => names.test(name));
      // One that has ended already takes it for done.
      await Promise.all(next.map((seat) => seat.end()));
    }
    await this.#redis?.stop();
    this.#postgres?.remove();
    if (this.#authorities !== undefined) setDefaultCACertificates(this.#authorities);
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  async #prepareNodes(): Promise<Nodes & { readonly sql: string }> {
    const { server, sql } = await findTemporalPrograms(this.#report);
    const common = { dataDir: this.#dataDir, report: this.#report };
    this.#postgres = await preparePostgres(await fixedPort(), this.#report);
    const postgres = this.#postgres;
    const temporal = await times(TEMPORAL_NODES, (index) =>
      prepareTemporalNode({ ...common, executable: server, index, postgresPort: postgres.port }),
    );
    this.#redis = await startRedisCluster({ nodeTimeoutMs: NODE_TIMEOUT_MS, report: this.#report });
    const qdrant = await prepareQdrantNodes(QDRANT_NODES, this.#dataDir, this.#report);
    return { sql, postgres, temporal, redis: this.#redis, qdrant };
  }

  async #startServices({ sql, postgres, temporal, redis, qdrant }: Nodes & { readonly sql: string }) {
    const startPostgresAndTemporal = async () => {
      const seat = await this.#service('postgres', postgres.start);
      await prepareDatabases(sql, postgres.port);
      // The first node writes down what the cluster is.
      return { postgres: seat, temporal: await this.#inTurn('temporal', temporal) };
    };
    const [database, qdrantSeats] = await Promise.all([
      startPostgresAndTemporal(),
      this.#inTurn('qdrant', qdrant),
    ]);
    return { ...database, redis: redis.nodes.map(redisSeat), qdrant: qdrantSeats };
  }

  async #inTurn(
    name: string,
    nodes: readonly { start(): Promise<RunningProcess> }[],
  ): Promise<EndableSeat[]> {
    const seats: EndableSeat[] = [];
    for (const [index, node] of nodes.entries())
      seats.push(await this.#service(`${name} ${index}`, node.start));
    return seats;
  }

  /** Each node learns of it on its own. */
  async #prepareNamespace({ temporal }: Nodes): Promise<void> {
    for (const { address } of temporal) {
      const server = { address, tls: false, apiKey: undefined } as const;
      await waitFor(`the namespace at ${address}`, async () => {
        const ready = registerNamespace(address, NAMESPACE).then(() => checkNamespace(server, NAMESPACE));
        return await ready.catch(() => false);
      });
    }
  }

  async #startProvider() {
    const port = await fixedPort();
    const args = ['--port', String(port), '--journal', this.#journalPath];
    return { port, seat: await this.#keep(takeSeat('provider', ['tools/simulator/main.ts', ...args], {})) };
  }

  #environment({ redis }: Nodes, front: ClusterFront, providerPort: number): Record<string, string> {
    return {
      TEMPORAL_ADDRESS: front.temporalAddress,
      TEMPORAL_NAMESPACE: NAMESPACE,
      REDIS_URL: redis.url,
      QDRANT_URL: front.qdrantUrl,
      UNBROKEN_SIMULATOR_URL: `http://127.0.0.1:${providerPort}`,
      UNBROKEN_TASK_QUEUE: this.#taskQueue,
      UNBROKEN_LOG_LEVEL: 'warn',
      UNBROKEN_CONFIG: this.#configPath,
      UNBROKEN_DATA_DIR: join(PROJECT_ROOT, '.unbroken', 'test'),
      UNBROKEN_DEV_KEY: this.#devKey,
    };
  }

  async #startWorker(environment: Readonly<Record<string, string>>): Promise<Seat> {
    const entry = ['--import', './worker/vm-without-watchdog.ts', 'worker/main.ts'];
    const name = `worker ${this.#workerCount++}`;
    const seat = await this.#keep(untilStarted(() => takeSeat(name, entry, environment)));
    this.#workers.push(seat);
    return seat;
  }

  #startApi(index: number, port: number, environment: Readonly<Record<string, string>>): Promise<Seat> {
    const own = { ...environment, UNBROKEN_PORT: String(port) };
    return this.#keep(takeSeat(`api ${index}`, 'api/main.ts', own));
  }

  #startReader(index: number, port: number, { certificatePath }: ClusterFront): Promise<Seat> {
    const entry = ['test/prove/matrix/reader-main.ts', String(port), join(this.#readingsDir, String(index))];
    return this.#keep(takeSeat(`reader ${index}`, entry, { NODE_EXTRA_CA_CERTS: certificatePath }));
  }

  #service(name: string, start: () => Promise<RunningProcess>): Promise<EndableSeat> {
    return this.#keep(serviceSeat(name, start));
  }

  async #keep(seat: Promise<EndableSeat>): Promise<EndableSeat> {
    const kept = await seat;
    // One that was still starting when another failed.
    if (this.#isStopped) await kept.end();
    else this.#started.push(kept);
    return kept;
  }

  /** This process asks through the front, whose certificate no authority has signed. */
  #trust(certificate: string): void {
    this.#authorities = getCACertificates('default');
    setDefaultCACertificates([...this.#authorities, certificate]);
  }
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/readyz`);
  await response.body?.cancel();
  return response.ok;
}

async function isWhole(group: Group, { temporal, redis, qdrant }: Nodes): Promise<boolean> {
  if (group === 'redis') return await redis.untilWhole().then(() => true);
  if (group === 'qdrant') return await isQdrantWhole(qdrant);
  const serving = temporal.map(({ address }) => isServing(address).catch(() => false));
  return (await Promise.all(serving)).every(Boolean);
}

/** The cluster itself ends its nodes. */
function redisSeat(node: ClusterNode): EndableSeat {
  return {
    name: `redis ${node.port}`,
    pid: () => node.pid(),
    isRunning: () => node.isRunning() && birthOf(node.pid()) !== undefined,
    log: () => '',
    kill: () => node.kill(),
    freeze: async () => node.freeze(),
    thaw: async () => node.thaw(),
    restart: () => node.restart(),
    leave: async () => null,
    end: async () => undefined,
  };
}

async function untilStarted(start: () => Promise<EndableSeat>): Promise<EndableSeat> {
  const deadline = Date.now() + STARTED_WITHIN_MS;
  for (;;) {
    try {
      return await start();
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

function times<Value>(count: number, make: (index: number) => Promise<Value>): Promise<Value[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)));
}
