/**
 * A real Redis Cluster on loopback, for tests and proofs: masters, each with replicas, on free ports and in one
 * temporary folder. Its nodes can be killed, frozen and restarted, and its slots moved, while it is used.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ListedNode, listNodes } from './ask-redis-node.ts';
import { findFreePort, LOOPBACK } from './ports.ts';
import { findRedisExecutable } from './programs/redis.js';
import { type Report, ServiceError } from './programs/service-error.js';
import { type ClusterNode, Node } from './redis-cluster-node.ts';

const SLOTS = 16_384;
const WHOLE_MS = 60_000;
const POLL_MS = 50;
/** Keys that one MIGRATE moves. */
const MOVED_AT_ONCE = 100;

interface ClusterPlan {
  readonly masters?: number;
  readonly replicasOfEach?: number;
  /** After this silence the others take a node for dead: a failover takes little longer. */
  readonly nodeTimeoutMs?: number;
  /** More arguments for every server, such as `--min-replicas-to-write 1`. */
  readonly args?: readonly string[];
  /** The server to run; absent: Redis or Valkey, as for `npm start`. */
  readonly executable?: string;
  readonly report?: Report;
}

export interface RedisCluster {
  readonly nodes: readonly ClusterNode[];
  /** For `REDIS_URL`: all nodes. */
  readonly url: string;
  masterOf(key: string): Promise<ClusterNode>;
  replicasOf(master: ClusterNode): Promise<ClusterNode[]>;
  masters(): Promise<ClusterNode[]>;
  /** Moves the slot of a key to another master, with all its keys one by one; `between` runs after the first. */
  moveSlotOf(key: string, target: ClusterNode, between?: () => Promise<void>): Promise<void>;
  /** Moves `count` slots from one master to another, as `redis-cli --cluster reshard` does. */
  moveSlots(from: ClusterNode, target: ClusterNode, count: number): Promise<void>;
  /** Loses what `act` writes to the master of a key: kills it before its only replica has it, and promotes that one. */
  loseWrites(key: string, act: () => Promise<void>): Promise<void>;
  /** Thaws and restarts all servers; resolves when the cluster is whole. */
  heal(): Promise<void>;
  /** Makes a replica master at once, without a vote; resolves when the others know it. */
  promote(replica: ClusterNode): Promise<void>;
  /** Resolves when every slot is served, and every replica that runs follows its master. */
  untilWhole(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedisCluster(plan: ClusterPlan = {}): Promise<RedisCluster> {
  const { masters = 3, replicasOfEach = 1, report = () => undefined } = plan;
  const executable = plan.executable ?? (await findRedisExecutable(report));
  const dataDir = await mkdtemp(join(tmpdir(), 'unbroken-cluster-'));
  const nodes = await Promise.all(
    Array.from({ length: masters * (1 + replicasOfEach) }, async () => {
      const ports = { port: await findFreePort(), busPort: await findFreePort() };
      return new Node({ ...plan, ...ports, executable, dataDir, report });
    }),
  );
  const cluster = new Cluster(nodes, dataDir);
  try {
    await Promise.all(nodes.map((node) => node.restart()));
    await cluster.join(masters);
    await cluster.untilWhole();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

class Cluster implements RedisCluster {
  readonly nodes: readonly Node[];
  readonly #dataDir: string;

  constructor(nodes: readonly Node[], dataDir: string) {
    this.nodes = nodes;
    this.#dataDir = dataDir;
  }

  get url(): string {
    return this.nodes.map((node) => node.url).join(',');
  }

  /** Makes one cluster of the servers: the first ones are masters, the others their replicas. */
  async join(masters: number): Promise<void> {
    const [first] = this.nodes;
    if (first === undefined) return;
    for (const [index, node] of this.nodes.entries()) {
      await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      const [from, until] = [index, index + 1].map((at) => Math.ceil((at * SLOTS) / masters));
      if (index < masters) await node.ask('CLUSTER', 'ADDSLOTSRANGE', from ?? 0, (until ?? 0) - 1);
      if (node !== first) await node.ask('CLUSTER', 'MEET', LOOPBACK, first.port, first.busPort);
    }
    await until('every server knows the others', async () => {
      const known = await Promise.all(this.nodes.map(async ({ url }) => (await listNodes(url)).length));
      return known.every((count) => count === this.nodes.length);
    });
    for (const [index, replica] of this.nodes.entries()) {
      const master = this.nodes[index % masters];
      if (index < masters || master === undefined) continue;
      const id = await master.id();
      await until(`a replica of ${master.port}`, () =>
        replica.ask('CLUSTER', 'REPLICATE', id).then(
          () => true,
          // It does not know its master yet.
          () => false,
        ),
      );
    }
  }

  async masterOf(key: string): Promise<Node> {
    const slot = Number(await this.#anyone().ask('CLUSTER', 'KEYSLOT', key));
    return this.#ownerOf(slot);
  }

  async masters(): Promise<Node[]> {
    const listed = await this.#list();
    return listed.filter(({ slots }) => slots.length > 0).map(({ port }) => this.#at(port));
  }

  async replicasOf({ port }: ClusterNode): Promise<Node[]> {
    const listed = await this.#list();
    const master = listed.find((node) => node.port === port);
    return listed.filter((node) => node.masterId === master?.id).map((node) => this.#at(node.port));
  }

  async moveSlotOf(key: string, target: ClusterNode, between?: () => Promise<void>): Promise<void> {
    const slot = Number(await this.#anyone().ask('CLUSTER', 'KEYSLOT', key));
    await this.#moveSlot(slot, this.#at(target.port), between);
  }

  async moveSlots(from: ClusterNode, target: ClusterNode, count: number): Promise<void> {
    const owned = (await this.#list()).find(({ port }) => port === from.port)?.slots ?? [];
    const slots = owned.flatMap(([first, last]) =>
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
    );
    for (const slot of slots.slice(0, count)) await this.#moveSlot(slot, this.#at(target.port));
  }

  async promote(replica: ClusterNode): Promise<void> {
    const node = this.#at(replica.port);
    await node.ask('CLUSTER', 'FAILOVER', 'TAKEOVER').catch((error: unknown) => {
      // The others may have elected it meanwhile.
      if (!(error instanceof Error && error.message.includes('to a replica'))) throw error;
    });
    await until('the replica is master', async () => {
      const seen = await Promise.all(this.#awake().map(({ url }) => listNodes(url).catch(() => [])));
      return seen.every((list) => (list.find(({ port }) => port === node.port)?.slots.length ?? 1) > 0);
    });
  }

  async loseWrites(key: string, act: () => Promise<void>): Promise<void> {
    const master = await this.masterOf(key);
    const [replica] = await this.replicasOf(master);
    if (replica === undefined) throw new ServiceError(`${master.port} has no replica.`, 'Heal the cluster.');
    replica.freeze();
    // Else the kernel keeps for the frozen replica what the master sends.
    await master.ask('CLIENT', 'KILL', 'TYPE', 'replica');
    await act();
    await master.kill();
    replica.thaw();
    await this.promote(replica);
  }

  async heal(): Promise<void> {
    for (const node of this.nodes) {
      node.thaw();
      if (!node.isRunning()) await node.restart();
    }
    await this.untilWhole();
  }

  async untilWhole(): Promise<void> {
    await until('the cluster is whole', async () => {
      const reports = await Promise.all(
        this.#awake().map(
          async (node) => `${await node.ask('CLUSTER', 'INFO')}${await node.ask('INFO', 'replication')}`,
        ),
      );
      return reports.every(
        (report) =>
          report.includes('cluster_state:ok') &&
          report.includes(`cluster_slots_ok:${SLOTS}`) &&
          !report.includes('master_link_status:down'),
      );
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  async #moveSlot(slot: number, target: Node, between?: () => Promise<void>): Promise<void> {
    const source = await this.#ownerOf(slot);
    if (source === target) return;
    await target.ask('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await source.id());
    await source.ask('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await target.id());
    let isHalfDone = false;
    for (;;) {
      const most = between === undefined ? MOVED_AT_ONCE : 1;
      const keys = [await source.ask('CLUSTER', 'GETKEYSINSLOT', slot, most)].flat().map(String);
      if (keys.length === 0) break;
      await source.ask('MIGRATE', LOOPBACK, target.port, '', 0, 10_000, 'KEYS', ...keys);
      if (!isHalfDone) await between?.();
      isHalfDone = true;
    }
    const id = await target.id();
    for (const node of [target, source]) await node.ask('CLUSTER', 'SETSLOT', slot, 'NODE', id);
  }

  async #ownerOf(slot: number): Promise<Node> {
    const owner = (await this.#list()).find(({ slots }) =>
      slots.some(([first, last]) => first <= slot && slot <= last),
    );
    if (owner === undefined) throw new ServiceError(`No server has the slot ${slot}.`, 'Start all servers.');
    return this.#at(owner.port);
  }

  #list(): Promise<ListedNode[]> {
    return listNodes(this.#anyone().url);
  }

  #awake(): Node[] {
    return this.nodes.filter((node) => node.isAwake());
  }

  #anyone(): Node {
    const [node] = this.#awake();
    if (node === undefined) throw new ServiceError('No server of the cluster runs.', 'Restart one.');
    return node;
  }

  #at(port: number): Node {
    const node = this.nodes.find((each) => each.port === port);
    if (node === undefined) throw new ServiceError(`No server has the port ${port}.`, 'Take one of `nodes`.');
    return node;
  }
}

async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + WHOLE_MS;
  while (!(await isTrue().catch(() => false))) {
    if (Date.now() > deadlineMs) {
      throw new ServiceError(
        `Redis Cluster: not after ${WHOLE_MS} ms: ${what}.`,
        'Read the logs of its servers.',
      );
    }
    await sleep(POLL_MS);
  }
}
