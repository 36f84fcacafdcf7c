/** Checks the file of a batch, and notes where each of its lines begins. */

import { BATCH_LIMITS } from '../../contracts/batch-limits.ts';
import { type BatchFault, type BatchName, type CheckedBatch, isFinal } from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { withHeartbeats } from '../heartbeats.ts';
import type { BatchDependencies } from './batch-dependencies.ts';

type Checking = Pick<BatchDependencies, 'batches' | 'batchObjects' | 'checkInput'>;

export function checkBatch({ batches, batchObjects, checkInput }: Checking) {
  return (name: BatchName): Promise<CheckedBatch> =>
    withHeartbeats(async () => {
      const { batchId } = name;
      const spec = await batches.spec(batchId);
      const checked = await checkInput(spec).catch((error: unknown) => {
        if (error instanceof UnbrokenError && error.code === 'not_found') return null;
        throw error;
      });
      if (checked === null || checked.faults.length > 0) {
        const faults = checked?.faults ?? [GONE];
        await batches.change(batchId, {
          to: 'failed',
          from: ['validating', 'cancelling'],
          facts: { faults },
        });
        return null;
      }
      const lines = checked.offsets.length - 1;
      const shardLines = Math.min(BATCH_LIMITS.linesPerShard, Math.ceil(lines / BATCH_LIMITS.shardsAtOnce));
      const plan = { lines, shardLines };
      await batchObjects.writeOffsets(name, checked.offsets);
      const status = await batches.change(batchId, {
        to: 'in_progress',
        from: ['validating'],
        facts: { plan, model: checked.model },
      });
      // It was cancelled before it had this run.
      if (isFinal(status)) return null;
      // It was cancelled meanwhile: the plan says how many lines are cancelled.
      await batches.change(batchId, { to: 'cancelling', from: ['cancelling'], facts: { plan } });
      return plan;
    });
}

/** The file of a batch that cannot be read any more. */
export const GONE: BatchFault = {
  code: 'input_file_not_found',
  message: 'The input file was deleted, or the API and the workers have different object stores.',
  param: 'input_file_id',
  line: null,
};
