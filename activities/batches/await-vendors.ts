/**
 * Asks the vendors once whether they have ended the batches of a hand-over. While one runs, the step fails, and
 * Temporal repeats it after a while: no process waits meanwhile.
 */
import { Context } from '@temporalio/activity';
import type { VendorWait } from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { PartState } from '../../engine/batches/handover.ts';
import type { ProviderBatchStatus } from '../../engine/providers/provider-batches.ts';
import { withHeartbeats } from '../heartbeats.ts';
import type { BatchDependencies } from './batch-dependencies.ts';
import { notYet, warnOfPart } from './vendor-failures.ts';

type Awaiting = Pick<BatchDependencies, 'batches' | 'nowMs' | 'vendorBatches' | 'vendorTimes'>;

export function awaitVendors(dependencies: Awaiting) {
  return (wait: VendorWait): Promise<void> =>
    withHeartbeats(async () => {
      const { batches, nowMs, vendorTimes } = dependencies;
      const { batchId, giveUpAtMs } = wait;
      const { parts } = await batches.handover(batchId);
      let done = 0;
      let open = 0;
      const troubles: string[] = [];
      for (const part of parts) {
        if (part.ref === null) continue;
        if (part.end !== null) {
          done += part.end.state === 'ended' ? part.lines : 0;
          continue;
        }
        const report = await ask(dependencies, wait, part);
        if (report.trouble !== null) troubles.push(report.trouble);
        done += report.done;
        if (report.isOver) continue;
        if (nowMs() < giveUpAtMs) open += 1;
        else await giveUp(dependencies, batchId, part);
      }
      await batches.noteVendorProgress(batchId, done);
      if (open === 0) return;
      const trouble = troubles.length === 0 ? '' : `; ${troubles.join('; ')}`;
      throw notYet(`The vendors have done ${done} lines${trouble}.`, vendorTimes.pollMs);
    });
}

interface VendorReport {
  readonly isOver: boolean;
  readonly done: number;
  /** Why it is not known. */
  readonly trouble: string | null;
}

async function ask(
  { batches, vendorBatches }: Awaiting,
  { batchId, cancels }: VendorWait,
  { part, provider, lines, ref }: PartState,
): Promise<VendorReport> {
  const vendor = vendorBatches.get(provider);
  if (vendor === undefined || ref === null) {
    return { isOver: false, done: 0, trouble: `${provider} is not configured any more` };
  }
  const signal = Context.current().cancellationSignal;
  let status: ProviderBatchStatus;
  try {
    if (cancels) await vendor.cancel(ref, signal);
    status = await vendor.poll(ref, signal);
  } catch (error) {
    if (!(error instanceof UnbrokenError)) throw error;
    return { isOver: false, done: 0, trouble: `${provider}: ${error.code}` };
  }
  const { state, error } = status;
  if (state === 'ended') {
    await batches.keepHandover(batchId, `end:${part}`, { state, message: null });
    return { isOver: true, done: lines, trouble: null };
  }
  if (state === 'refused') {
    warnOfPart('lines are called: their provider has refused their batch', { batchId, provider, part });
    await batches.keepHandover(batchId, `end:${part}`, { state, message: error?.message ?? null });
    return { isOver: true, done: 0, trouble: null };
  }
  return { isOver: false, done: status.done, trouble: null };
}

async function giveUp({ batches }: Awaiting, batchId: string, { part, provider }: PartState): Promise<void> {
  warnOfPart('a batch of a provider is given up: it has not ended', { batchId, provider, part });
  const message = 'The provider had not ended this batch long after its deadline.';
  await batches.keepHandover(batchId, `end:${part}`, { state: 'lost', message });
}
