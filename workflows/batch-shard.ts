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
import type { BatchStop, EndedShard, LineStep, ShardOrder } from '../contracts/batches.ts';
import { BATCH_STEP, JOB_STEP } from './activity-options.ts';
import { sendWarnings } from './budget-warning.ts';
import { runChildGeneration } from './child-generation.ts';
import { outlivesVersions } from './outlives-versions.ts';
import { sendDeliveries } from './webhook-delivery.ts';

const { openShard, prepareLine } = proxyLocalActivities<Activities>(JOB_STEP);
const { embedLine, recordShard, takeAnswers } = proxyActivities<Activities>(BATCH_STEP);

export async function batchShard(order: ShardOrder): Promise<EndedShard> {
  const root = CancellationScope.current();
  // Whatever ends the lines, their results are recorded.
  return CancellationScope.nonCancellable(() => new Shard(order).run(root));
}

class Shard {
  readonly #order: ShardOrder;
  /** What runs: it ends when its time is over, or some time after the batch was cancelled. */
  readonly #lines = new CancellationScope();
  /** Lines that vendors' batches have answered. */
  readonly #taken = new Set<number>();
  #stop: BatchStop | null;
  #next = 0;

  constructor(order: ShardOrder) {
    this.#order = order;
    this.#stop = order.stop ?? null;
  }

  async run(root: CancellationScope): Promise<EndedShard> {
    const { offsets, isRecorded } = await openShard(this.#order);
    if (isRecorded) return { isRecorded };
    root.cancelRequested.catch(() => this.#cancel());
    void this.#endInTime();
    const isHandedOver = this.#order.isHandedOver === true;
    const isStopped = this.#stop !== null;
    if (isHandedOver) await this.#takeAnswers({ closes: isStopped });
    const isOpen = this.#taken.size < offsets.length - 1;
    if (this.#order.onlyAnswers === true && isOpen && this.#stop === null) return { isRecorded: false };
    const lanes = Math.min(this.#order.linesAtOnce, offsets.length - 1);
    await Promise.all(Array.from({ length: lanes }, () => this.#runLines(offsets)));
    // What was prepared for a vendor, and is neither answered nor called.
    const mayBeOpen = isHandedOver && !isStopped && this.#taken.size < offsets.length - 1;
    if (mayBeOpen) await this.#takeAnswers({ closes: true });
    const { tenant, batchId, shard, lines, shardLines, deadlineAtMs } = this.#order;
    const name = { tenant, batchId, shard, lines, shardLines };
    setCurrentDetails(`${this.#next} of ${offsets.length - 1} lines`);
    await recordShard({ ...name, deadlineAtMs, stop: this.#stop });
    return { isRecorded: true };
  }

  async #runLines(offsets: readonly number[]): Promise<void> {
    while (this.#stop === null) {
      const index = this.#next;
      const [from, until] = [offsets[index], offsets[index + 1]];
      if (from === undefined || until === undefined) return;
      this.#next += 1;
      const { tenant, batchId, shard, shardLines, deadlineAtMs } = this.#order;
      const line = shard * shardLines + index;
      if (this.#taken.has(line)) continue;
      await this.#runLine({ tenant, batchId, shard, line, from, until, deadlineAtMs });
    }
  }

  async #takeAnswers({ closes }: { readonly closes: boolean }): Promise<void> {
    const { tenant, batchId, shard, lines, shardLines } = this.#order;
    const step = {
      tenant,
      batchId,
      shard,
      lines,
      shardLines,
      stop: this.#stop,
      closes,
      except: [...this.#taken],
    };
    const { lines: ended, warnings, deliveries } = await takeAnswers(step);
    for (const line of ended) this.#taken.add(line);
    await sendWarnings(warnings);
    await sendDeliveries(deliveries);
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
