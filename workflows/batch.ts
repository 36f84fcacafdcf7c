/**
 * A batch: the lines of a file, in shards, a few of which run at once. This run holds only counts; a batch with many
 * shards continues as a new run. A batch that is cancelled, or whose time is over, still writes its files: each line is
 * in one of them.
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
import type {
  BatchOrder,
  BatchOutcome,
  BatchProgress,
  BatchStop,
  CheckedBatch,
  ShardOrder,
} from '../contracts/batches.ts';
import { LIMITS } from '../contracts/limits.ts';
import { formatUsd } from '../contracts/money.ts';
import { SHARD_TYPE, workflowId } from '../contracts/names.ts';
import { BATCH_STEP } from './activity-options.ts';
import { outlivesVersions } from './outlives-versions.ts';
import { sendDeliveries } from './webhook-delivery.ts';

const { checkBatch, endBatch } = proxyActivities<Activities>(BATCH_STEP);

type RunShard = (order: ShardOrder) => Promise<void>;

export async function batch(order: BatchOrder): Promise<BatchOutcome> {
  const root = CancellationScope.current();
  const board = new BatchBoard(order);
  root.cancelRequested.catch(() => board.cancel());
  return CancellationScope.nonCancellable(async () => {
    const progress = await board.run();
    if (progress !== null && !board.isOver(progress)) {
      return continueAsNew<typeof batch>({ ...order, done: progress });
    }
    return close(order, progress, board.stop);
  });
}

async function close(
  { tenant, batchId, deadlineAtMs }: BatchOrder,
  progress: BatchProgress | null,
  stop: BatchStop | null,
): Promise<BatchOutcome> {
  const done = progress ?? { lines: 0, shardLines: 1, nextShard: 0 };
  const { deliveries, ...outcome } = await endBatch({ tenant, batchId, deadlineAtMs, stop, ...done });
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
  #running = 0;
  #stop: BatchStop | null = null;

  constructor(order: BatchOrder) {
    this.#order = order;
  }

  get stop(): BatchStop | null {
    return this.#stop;
  }

  cancel(): void {
    this.#stop ??= 'cancelled';
    this.#shards.cancel();
  }

  isOver({ lines, shardLines, nextShard }: BatchProgress): boolean {
    return this.#stop !== null || nextShard * shardLines >= lines;
  }

  /** @returns how far it is, and nothing runs; null if its file was refused. */
  async run(): Promise<BatchProgress | null> {
    const { tenant, batchId, done, deadlineAtMs } = this.#order;
    const plan: CheckedBatch = done ?? (await checkBatch({ tenant, batchId }));
    if (plan === null) return null;
    // The shards notice it themselves; here, no further one begins.
    void sleep(Math.max(1, deadlineAtMs - Date.now())).then(() => {
      this.#stop ??= 'expired';
    });
    const { lines, shardLines } = plan;
    const running: Promise<void>[] = [];
    let nextShard = done?.nextShard ?? 0;
    while (!this.isOver({ lines, shardLines, nextShard }) && !isHistoryLong()) {
      running.push(this.#runShard({ ...this.#shardOrder(plan), shard: nextShard }));
      nextShard += 1;
      setCurrentDetails(`${Math.min(lines, nextShard * shardLines)} of ${lines} lines have begun`);
      await condition(() => this.#running < BATCH_LIMITS.shardsAtOnce || this.#stop !== null);
    }
    await Promise.all(running);
    return { lines, shardLines, nextShard };
  }

  #shardOrder(plan: Exclude<CheckedBatch, null>): Omit<ShardOrder, 'shard'> {
    const { tenant, batchId, deadlineAtMs, linesAtOnce } = this.#order;
    const ofShard = Math.max(1, Math.ceil(linesAtOnce / BATCH_LIMITS.shardsAtOnce));
    const { lines, shardLines } = plan;
    return { tenant, batchId, deadlineAtMs, lines, shardLines, linesAtOnce: ofShard };
  }

  async #runShard(order: ShardOrder): Promise<void> {
    const { tenant, batchId, shard } = order;
    this.#running += 1;
    try {
      await this.#shards.run(() =>
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
