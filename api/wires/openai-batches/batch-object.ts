/** A batch as OpenAI's clients read it. Source: the types of the official client, Batch. */
import type { Batch } from 'openai/resources/batches';
import type { BatchExtras, BatchStatus } from '../../../contracts/batches.ts';
import { inputTokensOf, outputTokensOf, totalTokens, type Usage } from '../../../contracts/money.ts';
import type { BatchHead } from '../../../engine/batches/batch-store.ts';
import { paceOf } from '../../batches/batch-pace.ts';
import { handoverView } from '../../batches/handover-view.ts';

const secondsOf = (ms: number) => Math.floor(ms / 1_000);

export function batchObject(head: BatchHead) {
  const { spec, status, counts, plan, faults, costMicroUsd } = head;
  const at = (of: BatchStatus) => {
    const ms = head.times[of];
    return ms === undefined ? null : secondsOf(ms);
  };
  const { completed, failed, cancelled, expired } = counts;
  const { linesPerSecond, doneAtMs } = paceOf(head, Date.now());
  return {
    id: spec.batchId,
    object: 'batch',
    endpoint: spec.endpoint,
    model: head.model,
    errors: faults.length === 0 ? null : { object: 'list', data: [...faults] },
    input_file_id: spec.inputFileId,
    completion_window: spec.completionWindow,
    status,
    output_file_id: head.outputFileId,
    error_file_id: head.errorFileId,
    created_at: secondsOf(head.createdAt),
    in_progress_at: at('in_progress'),
    expires_at: secondsOf(spec.deadlineAtMs),
    finalizing_at: at('finalizing'),
    completed_at: at('completed'),
    failed_at: at('failed'),
    expired_at: at('expired'),
    cancelling_at: at('cancelling'),
    cancelled_at: at('cancelled'),
    request_counts: { total: plan?.lines ?? 0, completed, failed: failed + cancelled + expired },
    usage: usageOf(head.usage),
    metadata: spec.metadata,
    cost_micro_usd: costMicroUsd,
    request_outcomes: counts,
    requests_per_second: linesPerSecond,
    estimated_completion_at: doneAtMs === null ? null : secondsOf(doneAtMs),
    handover: handoverView(head),
  } satisfies Nullable<Batch> & BatchExtras;
}

/** The vendor sends null where its types have no value. */
type Nullable<Value> = { [Name in keyof Value]: Value[Name] | null };

function usageOf(usage: Usage): NonNullable<Batch['usage']> {
  return {
    input_tokens: inputTokensOf(usage),
    input_tokens_details: { cached_tokens: usage.cachedInputTokens },
    output_tokens: outputTokensOf(usage),
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: totalTokens(usage),
  };
}
