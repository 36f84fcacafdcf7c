/** How fast the lines of a batch end, and when the last one should. */
import { BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import type { BatchHead } from '../../engine/batches/batch-store.ts';

interface Pace {
  /** Lines that were sent. null: none has ended yet. */
  readonly linesPerSecond: number | null;
  /** Milliseconds since 1970. null: unknown, or no further line begins. */
  readonly doneAtMs: number | null;
}

type PacedBatch = Pick<BatchHead, 'status' | 'times' | 'plan' | 'counts' | 'countedAt' | 'spec'>;

const UNKNOWN: Pace = { linesPerSecond: null, doneAtMs: null };

/**
 * The average since its start, up to the last count: lines are counted a shard at a time, and between two counts
 * nothing is known. Only when the next count is later than that of some full shards should be, the pace slows down.
 */
export function paceOf({ status, times, plan, counts, countedAt, spec }: PacedBatch, nowMs: number): Pace {
  const beganAtMs = times.in_progress;
  const sent = counts.completed + counts.failed;
  if (plan === null || beganAtMs === undefined || countedAt === null || sent === 0) return UNKNOWN;
  const isRunning = status === 'in_progress';
  const tookMs = Math.max(1, countedAt - beganAtMs);
  const nextCountMs = (tookMs / sent) * plan.shardLines * BATCH_LIMITS.shardsAtOnce;
  const untilMs = isRunning ? Math.max(countedAt, nowMs - nextCountMs) : countedAt;
  const perMs = sent / Math.max(1, untilMs - beganAtMs);
  const left = plan.lines - sent - counts.cancelled - counts.expired;
  const doneAtMs = Math.min(spec.deadlineAtMs, Math.max(nowMs, untilMs + left / perMs));
  return {
    linesPerSecond: Number((perMs * 1_000).toPrecision(3)),
    doneAtMs: isRunning ? Math.round(doneAtMs) : null,
  };
}
