/**
 * Has another generation summarise the older turns of the conversation, before this one begins. It has its own log,
 * budget and retries, and is billed for itself. If it fails, this generation continues with the whole conversation.
 */
import {
  CancellationScope,
  CancelledFailure,
  executeChild,
  ParentClosePolicy,
  proxyLocalActivities,
  setCurrentDetails,
  TemporalFailure,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { WORKFLOW_TYPE, workflowId } from '../contracts/names.ts';
import type { GenerationOutcome } from '../contracts/steps.ts';
import { MUST_HAPPEN } from './activity-options.ts';
import { describeOrder } from './describe-run.ts';

type Generation = (order: GenerationOrder) => Promise<GenerationOutcome>;

const { noteCompaction } = proxyLocalActivities<Activities>(MUST_HAPPEN);

/** Does nothing for an order without a compaction. @throws CancelledFailure if this generation was cancelled */
export async function compactFirst(order: GenerationOrder): Promise<void> {
  const { compaction } = order;
  if (compaction === undefined) return;
  setCurrentDetails(describeOrder(order, `Summarising older turns: ${compaction.generationId}`, []));
  try {
    const outcome = await executeChild<Generation>(WORKFLOW_TYPE, optionsOf(compaction));
    if (isSummary(outcome)) await noteCompaction(order);
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
  }
  if (CancellationScope.current().consideredCancelled)
    throw new CancelledFailure('The caller has cancelled.');
}

/** A model that declined has written no summary. */
function isSummary({ status, finishReason }: GenerationOutcome): boolean {
  return status === 'completed' && (finishReason === 'stop' || finishReason === 'length');
}

function optionsOf(order: GenerationOrder) {
  const { tenant, user, generationId, candidates, inputChars } = order;
  const [first] = candidates;
  return {
    args: [order] as [GenerationOrder],
    workflowId: workflowId(tenant, generationId),
    workflowTaskTimeout: LIMITS.workflowTaskMs,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `${user}: a summary of ${inputChars} characters by ${first?.provider}/${first?.model}`,
    searchAttributes: {
      UnbrokenTenant: [tenant],
      UnbrokenUser: [user],
      UnbrokenStatus: ['running'],
      UnbrokenProvider: [first?.provider ?? ''],
      UnbrokenModel: [first?.model ?? ''],
    },
  };
}
