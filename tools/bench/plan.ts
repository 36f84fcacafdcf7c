/**
 * The plan of docs/scale.md: what 1, 10 and 100 million generations a day need, from measured figures by formulas. The
 * figures are copied from `npm run bench -- growth` and `-- soak`; change them, and the tables follow.
 */

/** Of one generation: 300 tokens at 50 a second, one viewer, no cache; 2 cores, 2026-11-24. */
export const MEASURED = {
  /** CPU time, from growth: 300 tokens, 50 a second. */
  apiCpuMs: 19.5,
  workerCpuMs: 75.8,
  temporalCpuMs: 31,
  redisCpuMs: 15.4,
  /** From the request to the last token. */
  seconds: 6.3,
  stateWrites: 14,
  temporalBytes: 24_200,
  logBytes: 28_656,
  redisNetworkBytes: 243_300,
  /** From soak: kept by design for each generation. */
  entryBytes: 440,
  reservationBytes: 316,
  /** From growth, 1,000 at once: what each running stream adds to a worker. */
  streamMiB: 0.9,
};

/** What is chosen, not measured. */
export const ASSUMED = {
  /** The busiest hour to the mean of the day. */
  peak: 3,
  /** Of a core, at the peak. */
  busiest: 0.7,
  retention: { logHours: 24, entryDays: 100, reservationDays: 7, temporalDays: 3 },
  /** Memory of one Redis that is used. */
  redisGB: 25,
  /** The share of cache hits, which are neither embedded again nor stored. */
  cacheHits: 0.35,
  cacheTtlDays: 1,
  dimensions: 512,
  /** State writes a second of one history shard. */
  writesPerShard: 12,
};

const DAY_SECONDS = 86_400;
const GB = 1e9;

type Retention = typeof ASSUMED.retention;

/** All of the peak unless the name says otherwise. */
interface Needs {
  readonly meanPerSecond: number;
  readonly peakPerSecond: number;
  /** By Little's law. */
  readonly atOnce: number;
  readonly apiProcesses: number;
  readonly workerCores: number;
  readonly temporalCores: number;
  readonly stateWritesPerSecond: number;
  /** The next power of two. */
  readonly historyShards: number;
  readonly temporalGB: number;
  readonly redisCores: number;
  readonly redisMBPerSecond: number;
  readonly redisLogGB: number;
  readonly redisBooksGB: number;
  readonly redisByMemory: number;
  readonly redisByCpu: number;
  readonly cacheEntries: number;
  readonly qdrantGB: number;
  readonly qdrantQuantizedGB: number;
}

export function needsOf(perDay: number, retention: Retention = ASSUMED.retention): Needs {
  const { peak, busiest } = ASSUMED;
  const meanPerSecond = perDay / DAY_SECONDS;
  const peakPerSecond = peak * meanPerSecond;
  const cores = (cpuMs: number) => (peakPerSecond * cpuMs) / 1_000 / busiest;
  const stateWritesPerSecond = peakPerSecond * MEASURED.stateWrites;
  const { logHours, entryDays, reservationDays, temporalDays } = retention;
  // What is kept for less than a day may all be of the busiest hours.
  const logsKept = Math.max((perDay * logHours) / 24, Math.min(perDay, peakPerSecond * 3_600 * logHours));
  const redisLogGB = (logsKept * MEASURED.logBytes) / GB;
  const booked = MEASURED.entryBytes * entryDays + MEASURED.reservationBytes * reservationDays;
  const redisBooksGB = (perDay * booked) / GB;
  const cacheEntries = perDay * (1 - ASSUMED.cacheHits) * ASSUMED.cacheTtlDays;
  // Qdrant's own rule: 4 bytes a dimension, and half as much again for indices and versions.
  const vectorGB = (cacheEntries * ASSUMED.dimensions * 4 * 1.5) / GB;
  return {
    meanPerSecond,
    peakPerSecond,
    atOnce: peakPerSecond * MEASURED.seconds,
    apiProcesses: Math.max(2, Math.ceil(cores(MEASURED.apiCpuMs))),
    workerCores: cores(MEASURED.workerCpuMs),
    temporalCores: cores(MEASURED.temporalCpuMs),
    stateWritesPerSecond,
    historyShards: Math.max(512, 2 ** Math.ceil(Math.log2(stateWritesPerSecond / ASSUMED.writesPerShard))),
    temporalGB: (perDay * temporalDays * MEASURED.temporalBytes) / GB,
    redisCores: cores(MEASURED.redisCpuMs),
    redisMBPerSecond: (peakPerSecond * MEASURED.redisNetworkBytes) / 1e6,
    redisLogGB,
    redisBooksGB,
    redisByMemory: Math.ceil((redisLogGB + redisBooksGB) / ASSUMED.redisGB),
    redisByCpu: Math.ceil(cores(MEASURED.redisCpuMs)),
    cacheEntries,
    qdrantGB: vectorGB,
    // One byte a dimension in memory; the whole vectors on disk.
    qdrantQuantizedGB: vectorGB / 4,
  };
}

const SCALES = [1e6, 1e7, 1e8];
const SHORT: Retention = { logHours: 1, entryDays: 40, reservationDays: 7, temporalDays: 1 };

export function printPlan(): void {
  const print = (retention: Retention, title: string) => {
    const rows = SCALES.map(
      (perDay) => [`${perDay / 1e6} million a day`, needsOf(perDay, retention)] as const,
    );
    const [first] = rows;
    if (first === undefined) return;
    console.log(`\n${title}`);
    const names = Object.keys(first[1]) as (keyof Needs)[];
    const cells = (name: keyof Needs) => rows.map(([scale, needs]) => [scale, written(needs[name])]);
    console.table(Object.fromEntries(names.map((name) => [name, Object.fromEntries(cells(name))])));
  };
  print(ASSUMED.retention, 'With the retention of the defaults');
  print(SHORT, 'Logs kept for 1 hour, entries for 40 days, histories for 1 day');
}

function written(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
}
