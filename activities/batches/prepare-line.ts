/**
 * Submits what a line asks for. The ids of its generations are hashes of the batch and its custom_id, so a repeated
 * call finds what the first one did. A line that cannot be sent is noted with what its client would have got.
 */
import type { LineStep, OpenedShard, PreparedLine, ShardOrder } from '../../contracts/batches.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { BatchSpec } from '../../engine/batches/batch-store.ts';
import { withHeartbeats } from '../heartbeats.ts';
import { type BatchDependencies, lineOf } from './batch-dependencies.ts';

type Opening = Pick<BatchDependencies, 'batches' | 'batchObjects'>;

export function openShard({ batches, batchObjects }: Opening) {
  return async (order: ShardOrder): Promise<OpenedShard> => {
    const [noted, offsets] = await Promise.all([
      batches.notedShards(order.batchId),
      batchObjects.readOffsets(order),
    ]);
    return { offsets, isRecorded: noted.has(order.shard) };
  };
}

type Preparing = Pick<
  BatchDependencies,
  'batches' | 'batchObjects' | 'lineFormats' | 'mayPayBatch' | 'nowMs' | 'readLine'
>;

export function prepareLine(dependencies: Preparing) {
  const { batches, lineFormats, mayPayBatch, nowMs } = dependencies;
  return async (step: LineStep): Promise<PreparedLine> => {
    // Its result says that the time was over.
    if (step.deadlineAtMs - nowMs() < LIMITS.minDeadlineMs) return { next: 'over' };
    // Read for each line and not remembered: of a batch that was erased meanwhile, no further line is submitted.
    const spec = await batches.spec(step.batchId);
    try {
      if (!(await mayPayBatch(spec)))
        throw new UnbrokenError(
          'unauthorized',
          'The key that created this batch has expired or was revoked.',
        );
      const orders = await lineFormats.order(spec, await lineOf(dependencies, spec, step));
      if (orders === null) return { next: 'embed' };
      return orders.length === 0 ? { next: 'over' } : { next: 'generate', orders };
    } catch (error) {
      await refuse(dependencies, { step, spec, error });
      return { next: 'over' };
    }
  };
}

interface Refusal {
  readonly step: LineStep;
  readonly spec: BatchSpec;
  readonly error: unknown;
}

/** @throws the error, if it may pass. */
async function refuse(
  { batches, lineFormats }: Pick<Preparing, 'batches' | 'lineFormats'>,
  { step, spec, error }: Refusal,
): Promise<void> {
  const response = lineFormats.refusal(spec, error);
  if (response === null) throw error;
  await batches.refuse(step, step.line, response);
}

/**
 * Calls for the embeddings of a line. The answer is kept before it is booked: a worker that dies in between leaves what
 * the next attempt books, under the same id, and no call is made again.
 */
export function embedLine(dependencies: Preparing) {
  const { batches, lineFormats } = dependencies;
  return (step: LineStep): Promise<void> =>
    withHeartbeats(async () => {
      const spec = await batches.spec(step.batchId);
      try {
        const kept = await batches.keptAnswer(step, step.line);
        const answer = kept ?? (await lineFormats.embed(spec, await lineOf(dependencies, spec, step)));
        if (kept === null) await batches.keepAnswer(step, step.line, answer);
        await lineFormats.book(spec, answer);
      } catch (error) {
        await refuse(dependencies, { step, spec, error });
      }
    });
}
