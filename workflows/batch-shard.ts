/**
 * Some lines of a batch: each is sent once, a few at a time, and then all results are recorded in one object. A line's
 * generations are ordinary runs, the children of this one; their ids derive from the batch and the line's custom_id.
 */
import {
  CancellationScope,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  sleep,
  TemporalFailure,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { BATCH_LIMITS } from '../contracts/batch-limits.ts';
import type { BatchStop, LineStep, ShardOrder } from '../contracts/batches.ts';
import { BATCH_STEP, JOB_STEP } from './activity-options.ts';
import { runChildGeneration } from './child-generation.ts';
import { outlivesVersions } from './outlives-versions.ts';

const { openShard, prepareLine } = proxyLocalActivities<Activities>(JOB_STEP);
const { embedLine, recordShard } = proxyActivities<Activities>(BATCH_STEP);

export async function batchShard(order: ShardOrder): Promise<void> {
  const root = CancellationScope.current();
  // Whatever ends the lines, their results are recorded.
  await CancellationScope.nonCancellable(() => new Shard(order).run(root));
}

class Shard {
  readonly #order: ShardOrder;
  /** What runs: it ends when its time is over, or some time after the batch was cancelled. */
  readonly #lines = new CancellationScope();
  #stop: BatchStop | null = null;
  #next = 0;

  constructor(order: ShardOrder) {
    this.#order = order;
  }

  async run(root: CancellationScope): Promise<void> {
    const { offsets, isRecorded } = await openShard(this.#order);
    if (isRecorded) return;
    root.cancelRequested.catch(() => this.#cancel());
    void this.#endInTime();
    const lanes = Math.min(this.#order.linesAtOnce, offsets.length - 1);
    await Promise.all(Array.from({ length: lanes }, () => this.#runLines(offsets)));
    const { deadlineAtMs, ...name } = this.#order;
    setCurrentDetails(`${this.#next} of ${offsets.length - 1} lines`);
    await recordShard({ ...name, deadlineAtMs, stop: this.#stop });
  }

  async #runLines(offsets: readonly number[]): Promise<void> {
    while (this.#stop === null) {
      const index = this.#next;
      const [from, until] = [offsets[index], offsets[index + 1]];
      if (from === undefined || until === undefined) return;
      this.#next += 1;
      const { tenant, batchId, shard, shardLines, deadlineAtMs } = this.#order;
      const line = shard * shardLines + index;
      await this.#runLine({ tenant, batchId, shard, line, from, until, deadlineAtMs });
    }
  }

  async #runLine(step: LineStep): Promise<void> {
    try {
      const prepared = await prepareLine(step);
      if (prepared.next === 'generate') {
        const { orders } = prepared;
        await this.#lines.run(() => Promise.all(orders.map((order) => runChildGeneration(order))));
      }
      if (prepared.next === 'embed') await embedLine(step);
    } catch (error) {
      // A step that was given up: the results say what became of the line.
      if (!(error instanceof TemporalFailure)) throw error;
    }
  }

  async #endInTime(): Promise<void> {
    await sleep(Math.max(1, this.#order.deadlineAtMs - Date.now()));
    this.#stop ??= 'expired';
    this.#lines.cancel();
  }

  #cancel(): void {
    this.#stop ??= 'cancelled';
    void sleep(BATCH_LIMITS.cancelledLinesMs).then(() => this.#lines.cancel());
  }
}

outlivesVersions(batchShard);
