/**
 * Ends a batch: records the shards that have not run, puts the results of all together, in their order, as one object
 * for each file, and notifies. Each of these may be repeated and changes nothing then.
 */
import { activityInfo } from '@temporalio/activity';
import {
  type EndBatch,
  type EndedBatch,
  isFinal,
  OPEN_STATUSES,
  shardsOf,
  type TakeAnswers,
} from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { ResultFile } from '../../engine/batches/batch-objects.ts';
import type { BatchHead, BatchSpec } from '../../engine/batches/batch-store.ts';
import { withHeartbeats } from '../heartbeats.ts';
import type { BatchDependencies } from './batch-dependencies.ts';
import { GONE } from './check-batch.ts';
import { writeShard } from './record-shard.ts';
import { type Taking, takeAnswersAt } from './take-answers.ts';

type Ending = Omit<BatchDependencies, 'checkInput' | 'mayPayBatch'> & Taking;

/** @param end null: its file was refused. */
export function endBatch(dependencies: Ending) {
  return (end: EndBatch): Promise<EndedBatch> =>
    withHeartbeats(async () => {
      const { batches } = dependencies;
      const { batchId } = end;
      if (end.lines > 0) {
        try {
          await writeFiles(dependencies, end);
        } catch (error) {
          if (!(error instanceof UnbrokenError && error.code === 'not_found')) throw error;
          await batches.change(batchId, { to: 'failed', from: OPEN_STATUSES, facts: { faults: [GONE] } });
        }
      }
      const head = await batches.head(batchId);
      if (head === null) throw new UnbrokenError('not_found', `The batch ${batchId} is not kept any more.`);
      const status = isFinal(head.status) ? head.status : 'failed';
      const deliveries = await notify(dependencies, head, status);
      if (end.lines > 0) await dependencies.batchObjects.delete(end, shardsOf(end));
      const { tenant, inputFileId: fileId, ownsInput } = head.spec;
      if (ownsInput === true) await dependencies.files.remove({ tenant, fileId });
      await dependencies.files.removeExpired();
      return { status, costMicroUsd: head.costMicroUsd, deliveries };
    });
}

async function writeFiles(dependencies: Ending, end: EndBatch): Promise<void> {
  const { batches } = dependencies;
  const { batchId, stop } = end;
  const before = await batches.head(batchId);
  // An earlier attempt has ended it: its shards may be deleted already.
  if (before === null || isFinal(before.status)) return;
  if (stop !== 'cancelled') await batches.change(batchId, { to: 'finalizing', from: ['in_progress'] });
  const noted = await batches.notedShards(batchId);
  for (let shard = 0; shard < shardsOf(end); shard += 1) {
    if (noted.has(shard)) continue;
    if (end.isHandedOver === true) await endPrepared(dependencies, { ...end, shard });
    await writeShard(dependencies, { ...end, shard });
  }
  const { counts, spec } = (await batches.head(batchId)) ?? before;
  const isWhole = spec.format === 'anthropic';
  const others = counts.failed + counts.cancelled + counts.expired;
  const output = isWhole || counts.completed > 0 ? await writeFile(dependencies, end, 'output') : null;
  const error = !isWhole && others > 0 ? await writeFile(dependencies, end, 'error') : null;
  // The last lines may have ended all the same after the batch was cancelled, or its time was over.
  const isCut = counts.cancelled + counts.expired > 0;
  const ended = isCut && stop !== null ? stop : counts.expired > 0 ? 'expired' : 'completed';
  await batches.change(batchId, {
    to: ended,
    from: OPEN_STATUSES,
    facts: { outputFileId: output, errorFileId: error },
  });
}

/** The workflow of this shard was ended from outside, and leaves lines that no run will end. */
async function endPrepared(
  dependencies: Ending,
  shard: Omit<TakeAnswers, 'closes' | 'except'>,
): Promise<void> {
  const { currentAttemptScheduledTimestampMs: epoch } = activityInfo();
  await takeAnswersAt(dependencies, { ...shard, closes: true, except: [] }, epoch);
}

/** @returns the id of the file. */
async function writeFile(
  { batches, batchObjects, files, resultFileId, nowMs }: Ending,
  end: EndBatch,
  file: ResultFile,
): Promise<string> {
  const { tenant, batchId } = end;
  const { owner, format, outputKeptMs } = await batches.spec(batchId);
  const name = { tenant, fileId: resultFileId(batchId, file) };
  const only = format === 'anthropic' ? undefined : file;
  const bytes = await files.upload(name, batchObjects.readResults(end, shardsOf(end), only));
  const createdAt = nowMs();
  await files.add(
    {
      ...name,
      user: owner.user,
      filename: `${batchId}_${file}.jsonl`,
      purpose: 'batch_output',
      bytes,
      createdAt,
      expiresAt: createdAt + outputKeptMs,
    },
    { mayExceed: true },
  );
  return name.fileId;
}

async function notify(
  { webhooks, nowMs }: Pick<Ending, 'webhooks' | 'nowMs'>,
  { spec, costMicroUsd }: BatchHead,
  status: EndedBatch['status'],
): Promise<EndedBatch['deliveries']> {
  const { tenant, batchId, webhook } = spec;
  return webhooks.prepare({
    tenant,
    user: spec.owner.user,
    key: batchId,
    type: `batch.${status}`,
    atMs: nowMs(),
    data: { id: batchId, ...formatOf(spec), status, cost_micro_usd: costMicroUsd },
    webhook,
  });
}

/** The receiver of a message batch finds it at another path. */
function formatOf({ format }: BatchSpec): { readonly format?: string } {
  return format === 'openai' ? {} : { format };
}
