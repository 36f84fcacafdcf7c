/**
 * The wait of a batch at its vendors: its lines are handed over, the vendors are asked from time to time, and what they
 * have answered is kept. They end early where the batch is cancelled, or where the time that is left is needed for
 * calls. A call is never made before the vendor has ended its batch: it may still answer, and would be paid, too.
 */
import {
  CancellationScope,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  sleep,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import { BATCH_LIMITS } from '../contracts/batch-limits.ts';
import type { BatchOrder, BatchPlan, VendorStep } from '../contracts/batches.ts';
import { BATCH_STEP } from './activity-options.ts';

const { awaitVendors, handOver, keepAnswers } = proxyActivities<Activities>(BATCH_STEP);

export class VendorBatches {
  /** What waits for the vendors as long as they like. */
  readonly #patience = new CancellationScope();

  endEarly(): void {
    this.#patience.cancel();
  }

  /** @returns whether lines were prepared: then each of them must be ended. */
  async run(order: BatchOrder, { lines, shardLines }: BatchPlan): Promise<boolean> {
    const { tenant, batchId, deadlineAtMs, linesAtOnce } = order;
    const name = { tenant, batchId, lines, shardLines };
    setCurrentDetails("The lines are handed over to their vendors' batches");
    const { isPrepared, isSubmitted, liveAtMs } = await handOver({ ...name, deadlineAtMs, linesAtOnce });
    if (!isSubmitted) return isPrepared;
    const step: VendorStep = { ...name, giveUpAtMs: deadlineAtMs + BATCH_LIMITS.vendorLateMs };
    setCurrentDetails(`The lines wait at their vendors, at most until ${new Date(liveAtMs).toISOString()}`);
    if (!(await this.#haveEndedBy(liveAtMs, step))) {
      setCurrentDetails('The vendors end their batches');
      await awaitVendors({ ...step, cancels: true });
    }
    await keepAnswers(step);
    return isPrepared;
  }

  async #haveEndedBy(atMs: number, step: VendorStep): Promise<boolean> {
    try {
      return await this.#patience.run(() =>
        Promise.race([
          awaitVendors({ ...step, cancels: false }).then(() => true),
          sleep(Math.max(1, atMs - Date.now())).then(() => false),
        ]),
      );
    } catch (error) {
      if (isCancellation(error)) return false;
      throw error;
    } finally {
      this.#patience.cancel();
    }
  }
}
