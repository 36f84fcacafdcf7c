/** A message batch as Anthropic's clients read it. Source: the types of the official client, MessageBatch. */
import type { MessageBatch } from '@anthropic-ai/sdk/resources/messages/batches';
import type { BatchStatus, HandoverView } from '../../../contracts/batches.ts';
import type { BatchHead } from '../../../engine/batches/batch-store.ts';
import { hasEnded } from '../../batches/find-batch.ts';
import { handoverView } from '../../batches/handover-view.ts';

const isoOf = (ms: number) => new Date(ms).toISOString();

/** As at the vendor, with what is ours. */
type OwnMessageBatch = MessageBatch & {
  readonly cost_micro_usd: number;
  readonly handover: HandoverView | null;
};

export function messageBatch(head: BatchHead): OwnMessageBatch {
  const { spec, status, times, counts } = head;
  const ended = hasEnded(head);
  const { completed, failed, cancelled, expired } = counts;
  const total = head.plan?.lines ?? spec.lines ?? 0;
  const left = Math.max(0, total - completed - failed - cancelled - expired);
  const at = (of: BatchStatus) => {
    const ms = times[of];
    return ms === undefined ? null : isoOf(ms);
  };
  return {
    id: spec.batchId,
    type: 'message_batch',
    processing_status: ended ? 'ended' : status === 'cancelling' ? 'canceling' : 'in_progress',
    request_counts: {
      processing: ended ? 0 : left,
      succeeded: completed,
      // Without its input a batch fails as a whole.
      errored: failed + (status === 'failed' ? left : 0),
      canceled: cancelled,
      expired,
    },
    created_at: isoOf(head.createdAt),
    expires_at: isoOf(spec.deadlineAtMs),
    cancel_initiated_at: at('cancelling'),
    ended_at: ended ? at(status) : null,
    archived_at: null,
    // A path, which its client resolves against the address by which it reaches this API.
    results_url: ended && head.outputFileId !== null ? `/v1/messages/batches/${spec.batchId}/results` : null,
    cost_micro_usd: head.costMicroUsd,
    handover: handoverView(head),
  };
}
