/**
 * What a generation costs, as `npm run bench -- costs --write` measured it. docs/scale.md and the simulation are made
 * of these figures.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const COSTS_PATH = join(import.meta.dirname, 'measured.json');

/** The load and the simulated provider use the machine, too. */
export const MEASURED_PROCESSES = [
  'API',
  'worker',
  'Temporal',
  'Redis',
  'Qdrant',
  'client',
  'provider',
] as const;
export type MeasuredProcess = (typeof MEASURED_PROCESSES)[number];
/** What an installation has to run. */
export const OWN_PROCESSES = ['API', 'worker', 'Temporal', 'Redis', 'Qdrant'] as const;
export type OwnProcess = (typeof OWN_PROCESSES)[number];

const amount = z.number().nonnegative();
const byProcess = z.record(z.enum(MEASURED_PROCESSES), amount);

/** CPU in ms: of a generation, of each of its tokens, of each append to its log, and of its adoption by an activity. */
export const PARTS = ['generation', 'token', 'frame', 'adoption'] as const;
export type Part = (typeof PARTS)[number];
const pointSchema = z.object({
  concurrency: z.int().positive(),
  requests: z.int().positive(),
  /** The mean: the order in which a busy machine serves does not change it. */
  firstMeanMs: amount,
  firstMs: amount,
  firstP99Ms: amount,
  perSecond: amount,
  /** Of a generation, in all processes of the product. */
  cpuMs: amount,
  /** Cores that other programs used meanwhile. */
  otherCores: amount,
});

const costsSchema = z.object({
  measuredOn: z.iso.date(),
  machine: z.object({ cores: z.int().positive(), cpu: z.string(), node: z.string() }),
  /** The least time between two appends of text. */
  frameMs: amount,
  cpuMs: z.record(z.enum(PARTS), byProcess),
  /** The part of `generation` that comes before the provider's first token. */
  beforeFirstMs: byProcess,
  /** Of the CPU of a process, what its main thread uses: it limits the process. */
  mainShare: byProcess,
  /** A generation of the plan. */
  generation: z.object({
    tokens: z.int().positive(),
    tokensPerSecond: amount,
    seconds: amount,
    cpuMs: byProcess,
    frames: amount,
    historyEvents: amount,
    historyBytes: amount,
    stateWrites: amount,
    /** In Temporal's store, with visibility and indices. */
    temporalBytes: amount,
    redisCommands: amount,
    redisNetworkBytes: amount,
    /** In Redis: while it runs, and when it has ended. */
    runningLogBytes: amount,
    endedLogBytes: amount,
    entryBytes: amount,
    reservationBytes: amount,
  }),
  /** What a look-up and a stored answer add to a generation. */
  cache: z.object({ cpuMs: byProcess, qdrantRequests: amount, redisCommands: amount }),
  memory: z.object({ apiMiB: amount, workerMiB: amount, apiStreamMiB: amount, workerStreamMiB: amount }),
  /** The provider alone, at one request at a time. */
  provider: z.object({ firstMs: amount, tokenMs: amount }),
  /** The load that the simulation is compared with. */
  pointLoad: z.object({ tokens: z.int().positive(), delayMs: amount }),
  points: z.array(pointSchema).min(1),
});

export type Costs = z.output<typeof costsSchema>;
export type Point = z.output<typeof pointSchema>;

export function parseCosts(value: unknown): Costs {
  return costsSchema.parse(value);
}

export function readCosts(): Costs {
  return parseCosts(JSON.parse(readFileSync(COSTS_PATH, 'utf8')));
}
