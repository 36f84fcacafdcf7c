/**
 * A batch: the lines of a file, in shards, a few of which run at once. This run holds only counts; a batch with many
 * shards continues as a new run. A batch that is cancelled, or whose time is over, still writes its files: each line is
 * in one of them. If its lines may wait, they are handed over to their vendors' batches first; then the shards take
 * the answers, and call what has none.
 */
import {
  CancellationScope,
  condition,
  continueAsNew,
  executeChild,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  sleep,
  TemporalFailure,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { BATCH_LIMITS } from '../contracts/batch-limits.ts';
import {
  type BatchOrder,
  type BatchOutcome,
  type BatchPlan,
  type BatchProgress,
  type BatchStop,
  type CheckedBatch,
  type EndedShard,
  NO_PROGRESS,
  type ShardOrder,
  shardsOf,
} from '../contracts/batches.ts';
import { LIMITS } from '../contracts/limits.ts';
import { formatUsd } from '../contracts/money.ts';
import { SHARD_TYPE, workflowId } from '../contracts/names.ts';
import { BATCH_STEP } from './activity-options.ts';
import { outlivesVersions } from './outlives-versions.ts';
import { VendorBatches } from './vendor-batches.ts';
import { sendDeliveries } from './webhook-delivery.ts';

const { checkBatch, endBatch } = proxyActivities<Activities>(BATCH_STEP);

type RunShard = (order: ShardOrder) => Promise<EndedShard>;

export async function batch(order: BatchOrder): Promise<BatchOutcome> {
  const root = CancellationScope.current();
  const board = new BatchBoard(order);
  root.cancelRequested.catch(() => board.cancel());
  return CancellationScope.nonCancellable(async () => {
    const progress = await board.run();
    if (progress !== null && !board.isOver(progress)) {
      return continueAsNew<typeof batch>({ ...order, done: { ...progress, ...board.shardStart } });
    }
    return close(order, progress === null ? null : { ...progress, ...board.shardStart }, board.stop);
  });
}

async function close(
  { tenant, batchId, deadlineAtMs }: BatchOrder,
  progress: BatchProgress | null,
  stop: BatchStop | null,
): Promise<BatchOutcome> {
  const done = progress ?? NO_PROGRESS;
  const { deliveries, ...outcome } = await endBatch({ tenant, batchId, deadlineAtMs, ...done, stop });
  show(outcome);
  await sendDeliveries(deliveries);
  return outcome;
}

function show({ status, costMicroUsd }: BatchOutcome): void {
  setCurrentDetails(`**${status}**, ${formatUsd(costMicroUsd)}`);
  upsertSearchAttributes({ UnbrokenStatus: [status], UnbrokenCostMicroUsd: [costMicroUsd] });
}

class BatchBoard {
  readonly #order: BatchOrder;
  /** The shards that run. */
  readonly #shards = new CancellationScope({ cancellable: true });
  readonly #vendors = new VendorBatches();
  #running = 0;
  #stop: BatchStop | null;
  /** Lines were prepared for vendors: every shard runs, even after a stop, to end those lines. */
  #isHandedOver: boolean;
  /** Shards that have run, and have lines that no vendor has answered. */
  readonly #open: Set<number>;

  constructor(order: BatchOrder) {
    this.#order = order;
    this.#stop = order.done?.stop ?? null;
    this.#isHandedOver = order.done?.isHandedOver === true;
    this.#open = new Set(order.done?.open);
  }

  /** What a shard, or the next run, learns of a hand-over; empty if there was none. */
  get shardStart(): Pick<BatchProgress, 'isHandedOver' | 'stop'> {
    if (!this.#isHandedOver) return {};
    return this.#stop === null ? { isHandedOver: true } : { isHandedOver: true, stop: this.#stop };
  }

  get stop(): BatchStop | null {
    return this.#stop;
  }

  cancel(): void {
    this.#stop ??= 'cancelled';
    this.#vendors.endEarly();
    this.#shards.cancel();
  }

  isOver(progress: BatchProgress): boolean {
    const isStopped = this.#stop !== null && !this.#isHandedOver;
    return isStopped || progress.nextShard >= shardsOf(progress) + this.#open.size;
  }

  /** @returns how far it is, and nothing runs; null if its file was refused. */
  async run(): Promise<BatchProgress | null> {
    const { tenant, batchId, done, deadlineAtMs, mode } = this.#order;
    const plan: CheckedBatch = done ?? (await checkBatch({ tenant, batchId }));
    if (plan === null) return null;
    // The shards notice it themselves; here, no further one begins.
    void sleep(Math.max(1, deadlineAtMs - Date.now())).then(() => {
      this.#stop ??= 'expired';
    });
    const { lines, shardLines } = plan;
    if (mode === 'vendor' && done === undefined && this.#stop === null) {
      this.#isHandedOver = await this.#vendors.run(this.#order, plan);
      // A timer may come later than it is due.
      if (Date.now() >= deadlineAtMs) this.#stop ??= 'expired';
    }
    const running: Promise<void>[] = [];
    let nextShard = done?.nextShard ?? 0;
    const shards = shardsOf(plan);
    while (!isHistoryLong()) {
      // Which shards are open is known when all have taken their answers.
      if (nextShard === shards) await Promise.all(running);
      if (this.isOver({ lines, shardLines, nextShard })) break;
      running.push(this.#runShard(this.#shardAt(nextShard, plan)));
      nextShard += 1;
      setCurrentDetails(`${Math.min(lines, nextShard * shardLines)} of ${lines} lines have begun`);
      const isFull = () => this.#running >= BATCH_LIMITS.shardsAtOnce;
      await condition(() => !isFull() || (this.#stop !== null && !this.#isHandedOver));
    }
    await Promise.all(running);
    return { lines, shardLines, nextShard, ...(this.#open.size > 0 ? { open: this.#openInOrder() } : {}) };
  }

  #openInOrder(): readonly number[] {
    return [...this.#open].sort((a, b) => a - b);
  }

  #shardAt(place: number, plan: BatchPlan): ShardOrder {
    const { tenant, batchId, deadlineAtMs, linesAtOnce } = this.#order;
    const again = this.#openInOrder()[place - shardsOf(plan)];
    return {
      tenant,
      batchId,
      deadlineAtMs,
      lines: plan.lines,
      shardLines: plan.shardLines,
      shard: again ?? place,
      linesAtOnce: Math.max(1, Math.ceil(linesAtOnce / BATCH_LIMITS.shardsAtOnce)),
      ...this.shardStart,
      ...(this.#isHandedOver && again === undefined ? { onlyAnswers: true } : {}),
    };
  }

  async #runShard(order: ShardOrder): Promise<void> {
    const { tenant, batchId, shard } = order;
    this.#running += 1;
    // A shard that begins after the stop ends what was handed over, and calls nothing.
    const scope = order.stop === undefined ? this.#shards : new CancellationScope({ cancellable: false });
    try {
      const ended = await scope.run(() =>
        executeChild<RunShard>(SHARD_TYPE, {
          args: [order],
          workflowId: `${workflowId(tenant, batchId)}/${shard}`,
          parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
          staticSummary: `${this.#order.user}: lines from ${shard * order.shardLines + 1} on`,
          searchAttributes: {
            UnbrokenTenant: [tenant],
            UnbrokenUser: [this.#order.user],
            UnbrokenStatus: ['running'],
          },
        }),
      );
      if (order.onlyAnswers === true && ended?.isRecorded === false) this.#open.add(shard);
    } catch (error) {
      // It was terminated, or never began: the end of the batch records what its lines have become.
      if (!(error instanceof TemporalFailure)) throw error;
    } finally {
      this.#running -= 1;
    }
  }
}

function isHistoryLong(): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return continueAsNewSuggested || historyLength >= LIMITS.jobHistoryEvents;
}

outlivesVersions(batch);
