/** Finds, cancels and deletes batches. One of another caller is `not_found`, as if it did not exist. */
import { isFinal, OPEN_STATUSES } from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { BatchFormat, BatchHead } from '../../engine/batches/batch-store.ts';
import type { Caller } from '../access/api-keys.ts';
import { mayRead } from '../access/may-read.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ifRunExists } from '../generations/if-run-exists.ts';
import { runOf } from './start-batch.ts';

const ID = /^(?:msg)?batch_[0-9a-f]{32}$/;

/** @throws not_found */
export async function findBatch(
  { batches }: Pick<ApiDependencies, 'batches'>,
  caller: Caller,
  batchId: string,
  format: BatchFormat,
): Promise<BatchHead> {
  const isSought = ID.test(batchId) && caller.onlyGeneration === undefined;
  const head = isSought ? await batches.head(batchId) : null;
  if (head !== null && head.spec.format === format && mayRead(caller, head.spec.owner)) return head;
  throw new UnbrokenError('not_found', `There is no batch ${batchId}.`);
}

/** The format of the batch that would have this id. */
export function formatOfId(batchId: string): BatchFormat {
  return batchId.startsWith('msgbatch_') ? 'anthropic' : 'openai';
}

/** Whether it has its last status. */
export function hasEnded({ status }: BatchHead): boolean {
  return isFinal(status);
}

/**
 * Lets no further line begin; those that run may end. A batch that is being cancelled, or was, stays so.
 * @throws batch_conflict if it has ended otherwise, service_unavailable
 */
export async function cancelBatch(
  { batches, config, temporal }: Pick<ApiDependencies, 'batches' | 'config' | 'temporal'>,
  head: BatchHead,
): Promise<BatchHead> {
  const { batchId } = head.spec;
  // As at OpenAI: a client whose first request was answered on a connection that broke sends it again.
  if (head.status === 'cancelled') return head;
  if (hasEnded(head)) {
    throw new UnbrokenError(
      'batch_conflict',
      `The batch ${batchId} cannot be cancelled: it is ${head.status}.`,
    );
  }
  const deadline = Date.now() + config.submit.waitForTemporalMs;
  // The run first: a batch that is called cancelling is being cancelled.
  const run = await ifRunExists(temporal.workflow, runOf(head.spec), (handle) =>
    temporal.connection.withDeadline(deadline, () => handle.cancel()),
  );
  await batches.change(
    batchId,
    run === null
      ? // It was never started, or was terminated: nothing else ends the batch.
        { to: 'cancelled', from: OPEN_STATUSES }
      : { to: 'cancelling', from: ['validating', 'in_progress', 'cancelling'] },
  );
  return (await batches.head(batchId)) ?? head;
}
