/**
 * Has another generation summarise the older turns of the conversation, before this one begins. It has its own log,
 * budget and retries, and is billed for itself. If it fails, this generation continues with the whole conversation.
 */
import {
  CancellationScope,
  CancelledFailure,
  patched,
  proxyLocalActivities,
  setCurrentDetails,
  TemporalFailure,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import type { GenerationOutcome } from '../contracts/steps.ts';
import { MUST_HAPPEN } from './activity-options.ts';
import { endChild, executeGeneration } from './child-generation.ts';
import { describeOrder } from './describe-run.ts';

const { noteCompaction } = proxyLocalActivities<Activities>(MUST_HAPPEN);

/** Does nothing for an order without a compaction. @throws CancelledFailure if this generation was cancelled */
export async function compactFirst(order: GenerationOrder): Promise<void> {
  const { compaction } = order;
  if (compaction === undefined) return;
  setCurrentDetails(describeOrder(order, `Summarising older turns: ${compaction.generationId}`, []));
  try {
    const what = `a summary of ${compaction.inputChars} characters`;
    const outcome = await executeGeneration(compaction, what);
    if (isSummary(outcome)) await noteCompaction(order);
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    // Runs of older code left its log open.
    if (patched('summary-ends')) await endChild(compaction);
  }
  if (CancellationScope.current().consideredCancelled)
    throw new CancelledFailure('The caller has cancelled.');
}

/** A model that declined has written no summary. */
function isSummary({ status, finishReason }: GenerationOutcome): boolean {
  return status === 'completed' && (finishReason === 'stop' || finishReason === 'length');
}
