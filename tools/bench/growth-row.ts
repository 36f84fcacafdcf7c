/** One row of `bench growth`: its plan and what was measured. */
import type { ClosedRun } from './closed-run.ts';
import type { LogBytes } from './log-bytes.ts';
import type { Silence } from './stream-generation.ts';

export interface GrowthPlan {
  readonly name: string;
  /** Rows of one group must have the same events in their histories. */
  readonly group: 'ends in its first task' | 'adopted';
  readonly tokens: number;
  readonly delayMs: number;
  readonly firstMs: number;
  readonly silence?: Silence;
  readonly generations: number;
  readonly atOnce: number;
  /** Over how long the first ones begin. */
  readonly rampMs: number;
}

export const PROCESSES = ['API', 'worker', 'Temporal', 'Redis', 'Qdrant'] as const;
export type ByProcess = Readonly<Record<(typeof PROCESSES)[number], number>>;

/** What one row measured; of one generation unless it says otherwise. */
export interface Growth extends GrowthPlan {
  readonly runs: readonly ClosedRun[];
  readonly cpuMs: ByProcess;
  readonly logBytes: LogBytes;
  readonly bookBytes: number;
  readonly redisCommands: number;
  readonly redisNetworkBytes: number;
  /** The most that were streaming at the same time. */
  readonly peakAtOnce: number;
  readonly peakWorkerMiB: number;
  readonly peakApiMiB: number;
  readonly firstMs: number;
  readonly firstP99Ms: number;
  readonly tokensPerSecond: number;
}
