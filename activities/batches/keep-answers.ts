/**
 * Brings the answers of the vendors' batches into the object store, and has the vendors delete what they keep of them.
 * Repeated, it writes the same.
 */
import { Context } from '@temporalio/activity';
import type { VendorStep } from '../../contracts/batches.ts';
import type { PartState } from '../../engine/batches/handover.ts';
import type { VendorAnswer } from '../../engine/batches/handover-objects.ts';
import { withHeartbeats } from '../heartbeats.ts';
import type { BatchDependencies } from './batch-dependencies.ts';
import { vendorFailure } from './vendor-failures.ts';

type Keeping = Pick<
  BatchDependencies,
  'batches' | 'handoverObjects' | 'nowMs' | 'vendorBatches' | 'vendorTimes'
>;

export function keepAnswers(dependencies: Keeping) {
  return (step: VendorStep): Promise<void> =>
    withHeartbeats(async () => {
      const { batches, handoverObjects } = dependencies;
      const { tenant, batchId, lines } = step;
      const { parts, answers } = await batches.handover(batchId);
      const signal = Context.current().cancellationSignal;
      if (answers === null) {
        const read = readAnswers(dependencies, { step, parts, signal });
        const count = await handoverObjects.writeAnswers({ tenant, batchId, lines }, read);
        await batches.keepHandover(batchId, 'kept', { answers: count });
      }
      for (const { provider, ref, end } of parts) {
        if (ref === null || end === null || end.state === 'lost') continue;
        // What stays expires there.
        await dependencies.vendorBatches
          .get(provider)
          ?.discard(ref, signal)
          .catch(() => undefined);
      }
    });
}

interface Reading {
  readonly step: VendorStep;
  readonly parts: readonly PartState[];
  readonly signal: AbortSignal;
}

async function* readAnswers(
  { nowMs, vendorBatches, vendorTimes }: Keeping,
  { step: { batchId, giveUpAtMs }, parts, signal }: Reading,
): AsyncGenerator<VendorAnswer> {
  for (const { provider, ref, end } of parts) {
    const vendor = vendorBatches.get(provider);
    if (ref === null || end?.state !== 'ended') continue;
    try {
      if (vendor === undefined) throw new Error(`${provider} is not configured any more.`);
      for await (const result of vendor.results(batchId, ref, signal)) {
        if (result.type !== 'answered') continue;
        yield { line: result.index, keyId: ref.keyId, body: result.body };
      }
    } catch (error) {
      // Later, the lines that were read are better than none.
      if (nowMs() < giveUpAtMs) throw vendorFailure(error, provider, vendorTimes.pollMs);
    }
  }
}
