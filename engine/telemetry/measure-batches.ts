/** Wraps the store of batches, and counts what is noted there. A step that is repeated may be counted again. */
import { type LineCounts, NO_LINES } from '../../contracts/batches.ts';
import { withMethods } from '../../platform/with-methods.ts';
import type { BatchStore } from '../batches/batch-store.ts';
import type { HandoverFacts } from '../batches/handover.ts';
import type { Metrics } from './metrics.ts';

export function measureBatches(batches: BatchStore, metrics: Metrics): BatchStore {
  const lines = metrics.counter(
    'unbroken_batch_lines_total',
    'Lines of batches that have ended: completed, failed, cancelled or expired',
    ['status'],
  );
  const atVendors = metrics.counter(
    'unbroken_vendor_batches_total',
    'Batches at vendors, by what became of them: created; then ended, refused or lost (their lines are called)',
    ['state'],
  );
  const answers = metrics.counter(
    'unbroken_vendor_batch_answers_total',
    'Lines that the batches of vendors have answered, at half the price',
  );
  const statuses = Object.keys(NO_LINES) as (keyof LineCounts)[];
  return withMethods(batches, {
    async noteShard(shard, result) {
      await batches.noteShard(shard, result);
      for (const status of statuses) lines.inc({ status }, result[status]);
    },
    async keepHandover(batchId, fact, value) {
      const kept = await batches.keepHandover(batchId, fact, value);
      const state = vendorState(fact, kept);
      if (state !== null) atVendors.inc({ state });
      if (fact === 'kept') answers.inc((kept as HandoverFacts['kept']).answers);
      return kept;
    },
  });
}

function vendorState(fact: keyof HandoverFacts, kept: HandoverFacts[keyof HandoverFacts]): string | null {
  if (fact.startsWith('ref:')) return 'created';
  return fact.startsWith('end:') ? (kept as HandoverFacts[`end:${number}`]).state : null;
}
