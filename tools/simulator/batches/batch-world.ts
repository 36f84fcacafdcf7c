/** What both vendors' batches share: the model that answers, plans for what comes next, and what is kept on disk. */
import type { Model } from '../serve-call.ts';
import type { BatchPlans } from './batch-plans.ts';
import type { BatchRecords } from './batch-records.ts';
import type { RunChange } from './batch-run.ts';

export interface BatchWorld {
  readonly model: Model;
  readonly plans: BatchPlans;
  readonly records: BatchRecords;
}

/** The changes of a batch before this process, and how later ones are kept. */
export function changesOf({ earlier, add }: BatchRecords, id: string) {
  return {
    earlier: earlier.flatMap((record) => (record.of === 'change' && record.id === id ? [record.change] : [])),
    keep: (change: RunChange) => add({ of: 'change', id, change }),
  };
}
