/**
 * Redis Cluster, by node-redis' client of clusters, which follows MOVED and ASK. Added here: a limit for every command;
 * another try for a command that meets a slot in migration, or that its server never received; a search for the new
 * master as soon as one is unreachable; and subscriptions that move with their slots.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCluster, DisconnectsClientError, ErrorReply } from 'redis';
import { ClusterSubscriptions, type ServerClient } from './cluster-subscriptions.ts';
import { clusterTls } from './cluster-tls.ts';
import type { ClientOptions, KeyedCommand, RedisClient } from './redis-client.ts';
import {
  answeredWithin,
  connectionOptions,
  limitSilence,
  type RedisConnection,
  runIdOf,
} from './redis-connection.ts';
import { confirmOnReplicas } from './replica-confirmation.ts';

type Cluster = ReturnType<typeof clusterOf>;
type ScanOptions = Parameters<RedisConnection['scan']>[1];

const LONGEST_PAUSE_MS = 100;
const SLOTS = 16_384;
/** Between two searches for the new master of an unreachable one. */
const SEARCH_AGAIN_MS = 100;
const CONNECT_AGAIN_MS = 500;

/** @param urls of nodes of the cluster; the first one names user, password and TLS for all of them. */
export async function connectCluster(urls: readonly string[], options: ClientOptions): Promise<RedisClient> {
  const cluster = clusterOf(urls, options.answerMs);
  cluster.on('error', options.onError);
  cluster.on('node-error', options.onError);
  prepareCommands(cluster, options);
  searchMasters(cluster, options.onError);
  await connectOnceReachable(cluster);
  const subscriptions = new ClusterSubscriptions({
    ownerOf: (channel) => cluster.getNodeClientForKey(channel),
    refresh: () => cluster._slots.rediscover(),
    onMoved: () => cluster.emit('ready'),
    ...options,
  });
  return withSubscriptions(cluster, subscriptions);
}

/** On top of the cluster client, as node-redis itself adds options to one. */
function withSubscriptions(
  cluster: Cluster & Pick<RedisConnection, KeyedCommand | 'scan'>,
  subscriptions: ClusterSubscriptions,
): RedisClient {
  return Object.assign(Object.create(cluster), {
    subscribe: (channel, listener) => subscriptions.subscribe(channel, 'all', listener),
    sSubscribe: (channel, listener) => subscriptions.subscribe(channel, 'shard', listener),
    sUnsubscribe: (channel) => subscriptions.unsubscribe(channel),
    scan: (cursor, options) => scanMasters(cluster, String(cursor), options),
    keyspace: () => keyspaceOf(cluster),
    ping: () => Promise.any(cluster.masters.map(async (node) => (await cluster.nodeClient(node)).ping())),
    close: () => {
      subscriptions.close();
      return cluster.close();
    },
    destroy: () => {
      subscriptions.close();
      cluster.destroy();
    },
  } satisfies Partial<RedisClient>);
}

function mastersOf(cluster: Cluster) {
  return cluster.masters.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * Asks each master for its slots and its epoch, which is a new one after each move. A key that moves from a master that
 * a walk has not read yet to one that it has read is missed.
 */
async function keyspaceOf(cluster: Cluster): Promise<string | null> {
  const servers = await Promise.all(
    mastersOf(cluster).map(async (master) => {
      const server = await cluster.nodeClient(master);
      const [runId, nodes] = await Promise.all([runIdOf(server), server.clusterNodes()]);
      return { runId, ...ownSlots(nodes) };
    }),
  );
  const served = servers.reduce((sum, { slots }) => sum + slots, 0);
  if (served === SLOTS && servers.every(({ isMoving }) => !isMoving)) {
    return createHash('sha256').update(JSON.stringify(servers)).digest('hex');
  }
  // Another server may have slots that this process has not heard of.
  await cluster._slots.rediscover();
  return null;
}

/** What the answer to CLUSTER NODES says of the server that gave it: id, ..., epoch, link, slots and moves. */
function ownSlots(nodes: string) {
  const line = nodes.split('\n').find((node) => node.split(' ')[2]?.includes('myself')) ?? '';
  const [id = '', , , , , , epoch = '', , ...places] = line.split(' ');
  const isMoving = places.some((place) => place.startsWith('['));
  const slots = places.reduce((sum, place) => sum + (isMoving ? 0 : lengthOf(place)), 0);
  return { id, epoch, ranges: places.join(' '), isMoving, slots };
}

/** Of a range such as 0-5460, or a single slot. */
function lengthOf(range: string): number {
  const [first = 0, last = first] = range.split('-').map(Number);
  return last - first + 1;
}

/** Walks the masters in the order of their ids. The cursor names the master that is read, and its cursor. */
async function scanMasters(cluster: Cluster, cursor: string, options?: ScanOptions) {
  const masters = mastersOf(cluster);
  const [id = '', place = '0'] = cursor === '0' ? [] : cursor.split(' ');
  const at = id === '' ? 0 : masters.findIndex((master) => master.id === id);
  const master = masters[at];
  // It is no master any more: its keys are at others, and the keyspace is another one.
  if (master === undefined) throw new ErrorReply('TRYAGAIN the walk through the keys must begin again');
  const page = await (await cluster.nodeClient(master)).scan(place, options);
  const next = masters[at + 1];
  if (String(page.cursor) !== '0') return { ...page, cursor: `${id === '' ? master.id : id} ${page.cursor}` };
  return { ...page, cursor: next === undefined ? '0' : `${next.id} 0` };
}

function clusterOf(urls: readonly string[], answerMs: number) {
  const { username, password } = new URL(urls[0] ?? '');
  const { socket, ...options } = connectionOptions(answerMs);
  return createCluster({
    rootNodes: urls.map((url) => ({ url })),
    RESP: options.RESP,
    commandOptions: options.commandOptions,
    defaults: {
      ...options,
      socket: { ...socket, ...clusterTls(urls) },
      ...(username === '' ? {} : { username: decodeURIComponent(username) }),
      ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    },
    // A server that is unreachable must not hold up the discovery of the others.
    minimizeConnections: true,
    // `searchMasters` does it, also for a server that was never reached.
    topologyRefreshOnReconnectionAttemptStrategy: false,
  });
}

/** As a single connection waits for its server. */
async function connectOnceReachable(cluster: Cluster): Promise<void> {
  for (;;) {
    try {
      await cluster.connect();
      return;
    } catch {
      // `onError` has received the reason, by the event.
      await sleep(CONNECT_AGAIN_MS);
    }
  }
}

type Send = (server: Server, options?: unknown) => Promise<unknown>;
type Server = ServerClient & { readonly socketEpoch: number };
type Execution = [parser: unknown, isReadonly: unknown, options: unknown, send: Send, ...rest: unknown[]];

/** The method of node-redis' cluster client that all its commands use: it chooses a server and follows redirects. */
interface ClusterCore {
  _execute(...execution: Execution): Promise<unknown>;
}

function prepareCommands(cluster: Cluster, options: ClientOptions): void {
  const core: ClusterCore = Object.getPrototypeOf(cluster);
  const execute = core._execute.bind(core);
  const known = new WeakSet<Server>();
  const limitMs = options.answerMs + (options.replicas?.withinMs ?? 0);
  const prepare = (server: Server) => {
    if (known.has(server)) return;
    known.add(server);
    limitSilence(server, options.answerMs);
    if (options.replicas !== undefined) confirmOnReplicas(server, options.replicas, options);
  };
  core._execute = (...execution) => {
    const [parser, isReadonly, commandOptions, send, ...rest] = execution;
    const sendPrepared: Send = (server, sendOptions) => {
      prepare(server);
      return server.isReady
        ? send(server, sendOptions)
        : sendOnceConnected(server, () => send(server, sendOptions));
    };
    const attempt = () => execute(parser, isReadonly, commandOptions, sendPrepared, ...rest);
    return answeredWithin(limitMs, repeated(attempt, options.answerMs));
  };
}

/** The server never received the command: the cluster no longer has it, and the connection never came about. */
class UnsentError extends Error {
  override readonly name = 'UnsentError';
}

async function sendOnceConnected(server: Server, send: () => Promise<unknown>): Promise<unknown> {
  const epoch = server.socketEpoch;
  try {
    return await send();
  } catch (error) {
    const isUnsent = error instanceof DisconnectsClientError && server.socketEpoch === epoch;
    throw isUnsent ? new UnsentError('Its server has left the cluster.', { cause: error }) : error;
  }
}

/** Sends again what has certainly not been carried out. */
async function repeated(attempt: () => Promise<unknown>, withinMs: number): Promise<unknown> {
  const untilMs = performance.now() + withinMs;
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isUnexecuted(error) || performance.now() > untilMs) throw error;
      await sleep(Math.min(2 ** tries, LONGEST_PAUSE_MS));
    }
  }
}

/** TRYAGAIN: some keys of the command are still at the old owner of their slot, others at the new one already. */
function isUnexecuted(error: unknown): boolean {
  return (
    error instanceof UnsentError || (error instanceof ErrorReply && error.message.startsWith('TRYAGAIN'))
  );
}

/** Asks the other servers who is master now, for as long as one cannot be reached. */
function searchMasters(cluster: Cluster, onError: (error: Error) => void): void {
  let isSearching = false;
  cluster.on('node-reconnecting', ({ host, port }: { host: string; port: number }) => {
    if (isSearching) return;
    isSearching = true;
    sleep(SEARCH_AGAIN_MS)
      .then(() => cluster._slots.rediscover(undefined, new Set([`${host}:${port}`])))
      .catch(onError)
      .finally(() => {
        isSearching = false;
      });
  });
}
