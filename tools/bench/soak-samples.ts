/** What is sampled in a soak, as series by name. */
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';
import type { SharedServices } from '../../test/harness/shared-services.ts';
import type { Seat, Stack } from '../../test/harness/stack.ts';
import { closedRun } from './closed-run.ts';
import { type HeapProbe, openHeapProbe } from './heap.ts';
import { summary } from './load.ts';
import { openFiles, useOf } from './process-use.ts';
import { bytesOf, keysLike, redisUse } from './redis-use.ts';
import { type ReaderKind, readerKinds, type SoakLoad } from './soak-load.ts';
import type { Point } from './trend.ts';

const MIB = 1024 * 1024;
/** Kept by design for longer than a soak: the entries of the ledger, and that a generation was settled. */
const BOOKS = 'ub:budget:';

export interface Series {
  readonly name: string;
  /** Whether it must be flat; the others are shown only. */
  readonly isJudged: boolean;
  readonly points: Point[];
}

interface Sampler {
  readonly series: readonly Series[];
  sample(): Promise<void>;
  close(): void;
}

type Reading = readonly [name: string, value: number, isJudged?: boolean];

export async function createSampler(
  stack: Stack,
  services: SharedServices,
  redis: RedisConnection,
  load: SoakLoad,
): Promise<Sampler> {
  const seats = [...stack.apis, ...stack.workers];
  const probes = await Promise.all(seats.map((seat) => openHeapProbe(seat.log())));
  const all = new Map<string, Series>();
  const note = ([name, value, isJudged = true]: Reading, atMs: number) => {
    const series = all.get(name) ?? { name, isJudged, points: [] };
    all.set(name, series);
    series.points.push({ atMs, value });
  };
  return {
    get series() {
      return [...all.values()];
    },
    async sample() {
      const atMs = Date.now();
      const readings = await Promise.all([
        ...seats.map((seat, index) => ofProcess(seat, probes[index])),
        ofRedis(redis),
        ofRuns(stack, load),
      ]);
      for (const reading of [...readings.flat(), ...ofServices(services), ...ofLoad(load)])
        note(reading, atMs);
    },
    close: () => {
      for (const probe of probes) probe.close();
    },
  };
}

/** Resident memory is read after the collection that the heap needs. */
async function ofProcess(seat: Seat, probe: HeapProbe | undefined): Promise<Reading[]> {
  const { name } = seat;
  const heapBytes = await (probe?.usedBytes() ?? Number.NaN);
  const page = await (await fetch(`${metricsUrlOf(seat)}/metrics`)).text();
  return [
    [`${name}: heap after GC, MiB`, heapBytes / MIB],
    [`${name}: resident, MiB`, useOf([seat.pid()]).residentMiB],
    [`${name}: open files`, openFiles(seat.pid())],
    [`${name}: handles of Node`, Number(/^nodejs_active_resources_total (\d+)/m.exec(page)?.[1])],
    [`${name}: series of metrics`, page.split('\n').filter((line) => !line.startsWith('#')).length],
  ];
}

function metricsUrlOf(seat: Seat): string {
  return /"metricsUrl":"([^"]+)"/.exec(seat.log())?.[1] ?? '';
}

async function ofRedis(redis: RedisConnection): Promise<Reading[]> {
  const [keys, channels, { memoryBytes }] = await Promise.all([
    keysLike(redis, '*'),
    redis.pubSubShardChannels(),
    redisUse(redis),
  ]);
  const others = keys.filter((key) => !key.startsWith(BOOKS));
  return [
    ['Redis: keys but for the books', others.length],
    ['Redis: KiB of these', (await bytesOf(redis, others)) / 1024],
    ['Redis: channels with a subscriber', channels.length],
    ['Redis: keys of the books', keys.length - others.length, false],
    ['Redis: memory with the books, MiB', memoryBytes / MIB, false],
  ];
}

/** One closed run of each kind of reader. */
async function ofRuns(stack: Stack, load: SoakLoad): Promise<Reading[]> {
  const readings = await Promise.all(
    readerKinds.map(async (kind: ReaderKind): Promise<Reading[]> => {
      const id = load.newest(kind);
      if (id === undefined) return [];
      const { events, bytes } = await closedRun(stack, id);
      return [
        [`history of ${kind}: events`, events],
        [`history of ${kind}: bytes`, bytes],
      ];
    }),
  );
  return readings.flat();
}

/** They keep every closed run and its traces for longer than a soak. */
function ofServices({ pidOf }: SharedServices): Reading[] {
  return Object.entries(pidOf).flatMap(([name, pid]): Reading[] =>
    pid === undefined ? [] : [[`${name}: resident, MiB`, useOf([pid]).residentMiB, false]],
  );
}

function ofLoad(load: SoakLoad): Reading[] {
  const firstMs = load.takeFirstMs();
  return [
    ['readers at once', load.atOnce, false],
    ...(firstMs.length === 0
      ? []
      : ([['first token, median ms', summary(firstMs)['median ms'], false]] as const)),
  ];
}
