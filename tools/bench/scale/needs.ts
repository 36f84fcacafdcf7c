/** What a number of generations a day needs at its peak: processes, cores, memory and nodes of each engine. */
import { ASSUMED, NODES, type NodeType, PUBLISHED } from './assumptions.ts';
import type { Costs, OwnProcess } from './costs.ts';

const DAY_SECONDS = 86_400;
const GB = 1e9;
const MIB = 1024 * 1024;

interface Retention {
  readonly logHours: number;
  readonly entryDays: number;
  readonly reservationDays: number;
  readonly temporalDays: number;
}

export const ENGINES = ['API', 'worker', 'Temporal', 'database', 'Redis', 'Qdrant'] as const;
type Engine = (typeof ENGINES)[number];

/** At the peak; cores and memory in use. */
export interface EngineNeed {
  readonly processes: number;
  readonly cores: number;
  readonly memoryGB: number;
  readonly nodes: number;
  readonly node: NodeType;
}

export interface Needs {
  readonly perDay: number;
  readonly meanPerSecond: number;
  readonly peakPerSecond: number;
  /** By Little's law. */
  readonly atOnce: number;
  readonly engines: Readonly<Record<Engine, EngineNeed>>;
  readonly stateWritesPerSecond: number;
  readonly historyShards: number;
  readonly redisCommandsPerSecond: number;
  readonly redisMBPerSecond: number;
  readonly redisRunningGB: number;
  readonly redisEndedGB: number;
  readonly redisBooksGB: number;
  readonly temporalDiskGB: number;
  readonly cacheEntries: number;
}

export function needsOf(costs: Costs, perDay: number, retention: Retention = ASSUMED.retention): Needs {
  const { generation, memory, cache } = costs;
  const meanPerSecond = perDay / DAY_SECONDS;
  const peakPerSecond = ASSUMED.peak * meanPerSecond;
  const atOnce = peakPerSecond * generation.seconds;
  const cores = (cpuMs: number) => (peakPerSecond * cpuMs) / 1_000 / ASSUMED.busiest;
  const cpuOf = (name: OwnProcess) => generation.cpuMs[name] + cache.cpuMs[name];
  const mainOf = (name: OwnProcess) => cores(cpuOf(name) * costs.mainShare[name]);
  const stateWritesPerSecond = peakPerSecond * generation.stateWrites;
  const redis = redisGBOf(costs, perDay, retention);
  const redisGB = redis.runningGB + redis.endedGB + redis.booksGB;
  const apis = Math.max(2, Math.ceil(mainOf('API')));
  const workers = Math.max(2, Math.ceil(mainOf('worker')), Math.ceil(atOnce / ASSUMED.streamsPerWorker));
  const cacheEntries = perDay * (1 - ASSUMED.cacheHits) * ASSUMED.cacheTtlDays;
  const qdrantGB = (cacheEntries * ASSUMED.dimensions * 4 * PUBLISHED.qdrantFactor) / GB;
  const toGB = (mib: number) => (mib * MIB) / GB;
  return {
    perDay,
    meanPerSecond,
    peakPerSecond,
    atOnce,
    engines: {
      API: spread(NODES.general, {
        processes: apis,
        cores: cores(cpuOf('API')),
        memoryGB: toGB(apis * memory.apiMiB + atOnce * memory.apiStreamMiB),
      }),
      worker: spread(NODES.general, {
        processes: workers,
        cores: cores(cpuOf('worker')),
        memoryGB: toGB(workers * memory.workerMiB + atOnce * memory.workerStreamMiB),
      }),
      Temporal: temporalNeed(cores(cpuOf('Temporal'))),
      database: databaseNeed(stateWritesPerSecond),
      Redis: redisNeed(mainOf('Redis'), redisGB),
      Qdrant: qdrantNeed(cores(cpuOf('Qdrant')), qdrantGB),
    },
    stateWritesPerSecond,
    historyShards: shardsFor(stateWritesPerSecond),
    redisCommandsPerSecond: peakPerSecond * (generation.redisCommands + cache.redisCommands),
    redisMBPerSecond: (peakPerSecond * generation.redisNetworkBytes) / 1e6,
    redisRunningGB: redis.runningGB,
    redisEndedGB: redis.endedGB,
    redisBooksGB: redis.booksGB,
    temporalDiskGB: (perDay * retention.temporalDays * generation.temporalBytes) / GB,
    cacheEntries,
  };
}

/** A power of two. */
function shardsFor(stateWritesPerSecond: number): number {
  return Math.max(
    PUBLISHED.leastShards,
    2 ** Math.ceil(Math.log2(stateWritesPerSecond / PUBLISHED.writesPerShard)),
  );
}

function redisGBOf({ generation }: Costs, perDay: number, retention: Retention) {
  const peakPerSecond = (ASSUMED.peak * perDay) / DAY_SECONDS;
  const { logHours, entryDays, reservationDays } = retention;
  // What is kept for less than a day may all be of the busiest hours.
  const kept = Math.max((perDay * logHours) / 24, Math.min(perDay, peakPerSecond * 3_600 * logHours));
  const booked = generation.entryBytes * entryDays + generation.reservationBytes * reservationDays;
  return {
    runningGB: (peakPerSecond * generation.seconds * generation.runningLogBytes) / GB,
    endedGB: (kept * generation.endedLogBytes) / GB,
    booksGB: (perDay * booked) / GB,
  };
}

type Amounts = Pick<EngineNeed, 'processes' | 'cores' | 'memoryGB'>;

/** Two nodes at least: none may be the only one. */
function spread(node: NodeType, amounts: Amounts, least = 2): EngineNeed {
  const byCores = Math.ceil(amounts.cores / node.cores);
  const byMemory = Math.ceil(amounts.memoryGB / node.usableGB);
  return { ...amounts, node, nodes: Math.max(least, byCores, byMemory) };
}

/** History, matching and frontend, in a process of each on every node. */
function temporalNeed(cores: number): EngineNeed {
  const { nodes, ...need } = spread(NODES.general, { processes: 0, cores, memoryGB: 0 });
  return { ...need, nodes, processes: 3 * nodes, memoryGB: nodes * 4 };
}

/** PostgreSQL with a standby while one machine takes the writes; then Cassandra with three replicas. */
function databaseNeed(stateWritesPerSecond: number): EngineNeed {
  const cores = stateWritesPerSecond / PUBLISHED.writesPerDatabaseCore;
  const replicas = cores <= PUBLISHED.databaseCores ? 2 : 3;
  const nodesOfOne = Math.max(1, Math.ceil(cores / NODES.memory.cores));
  return {
    processes: replicas * (replicas === 2 ? 1 : nodesOfOne),
    cores: cores * replicas,
    memoryGB: replicas * nodesOfOne * 16,
    nodes: replicas * nodesOfOne,
    node: NODES.memory,
  };
}

/** Each master has a replica, which does the same writes; three servers share a node, by cores or by memory. */
function redisNeed(mainCores: number, memoryGB: number): EngineNeed {
  const masters = Math.max(1, Math.ceil(mainCores), Math.ceil(memoryGB / NODES.memory.usableGB));
  const servers = 2 * masters;
  const cores = 2 * mainCores;
  return spread(NODES.memory, { processes: servers, cores, memoryGB: 2 * memoryGB });
}

/** Vectors in memory once, and a second replica of each. */
function qdrantNeed(cores: number, memoryGB: number): EngineNeed {
  const { nodes, ...need } = spread(NODES.memory, { processes: 0, cores: 2 * cores, memoryGB: 2 * memoryGB });
  return { ...need, nodes, processes: nodes };
}

/** What is full first: how many generations a day fill one of it at the peak. */
interface Ceiling {
  readonly name: string;
  readonly perDay: number;
}

export function ceilingsOf(costs: Costs, retention: Retention = ASSUMED.retention): Ceiling[] {
  const perDayMain = (name: OwnProcess) => {
    const mainMs = (costs.generation.cpuMs[name] + costs.cache.cpuMs[name]) * costs.mainShare[name];
    return perDayAt((1_000 * ASSUMED.busiest) / mainMs);
  };
  const { runningGB, endedGB, booksGB } = redisGBOf(costs, 1e6, retention);
  const writes = (perSecond: number) => perDayAt(perSecond / costs.generation.stateWrites);
  const qdrantGB = needsOf(costs, 1e6).engines.Qdrant.memoryGB / 2;
  const ceilings = [
    { name: 'an API process, by its main thread', perDay: perDayMain('API') },
    { name: 'a worker process, by its main thread', perDay: perDayMain('worker') },
    { name: 'a Redis, by its thread', perDay: perDayMain('Redis') },
    {
      name: `a Redis, by ${NODES.memory.usableGB} GB of memory`,
      perDay: (1e6 * NODES.memory.usableGB) / (runningGB + endedGB + booksGB),
    },
    {
      name: `PostgreSQL with ${PUBLISHED.databaseCores} cores, by state writes`,
      perDay: writes(PUBLISHED.databaseCores * PUBLISHED.writesPerDatabaseCore),
    },
    {
      name: `a Temporal cluster with ${PUBLISHED.leastShards} history shards`,
      perDay: writes(PUBLISHED.leastShards * PUBLISHED.writesPerShard),
    },
    {
      name: `a Temporal cluster with ${PUBLISHED.mostShards.toLocaleString('en')} history shards`,
      perDay: writes(PUBLISHED.mostShards * PUBLISHED.writesPerShard),
    },
    {
      name: `a Qdrant, by ${NODES.memory.usableGB} GB of memory`,
      perDay: (1e6 * NODES.memory.usableGB) / qdrantGB,
    },
  ];
  return ceilings.toSorted((a, b) => a.perDay - b.perDay);
}

/** Generations a day whose peak has so many a second. */
function perDayAt(peakPerSecond: number): number {
  return (peakPerSecond * DAY_SECONDS) / ASSUMED.peak;
}
