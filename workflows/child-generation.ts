/** Runs a generation as the child of another workflow. */
import {
  CancellationScope,
  executeChild,
  ParentClosePolicy,
  proxyLocalActivities,
  TemporalFailure,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { GenerationOrder } from '../contracts/generation.ts';
import type { TickPriority } from '../contracts/job-steps.ts';
import { LIMITS } from '../contracts/limits.ts';
import { WORKFLOW_TYPE, workflowId } from '../contracts/names.ts';
import type { GenerationOutcome } from '../contracts/steps.ts';
import { MUST_HAPPEN } from './activity-options.ts';

type Generation = (order: GenerationOrder) => Promise<GenerationOutcome>;

const { closeGeneration, settleBudget } = proxyLocalActivities<Activities>(MUST_HAPPEN);

/**
 * Runs a generation to its end. A run that was terminated or could not start leaves its log open; then it is ended
 * here.
 * @param priority absent: that of the workflow that runs it.
 */
export async function runChildGeneration(
  order: GenerationOrder,
  priority?: TickPriority,
): Promise<GenerationOutcome> {
  try {
    return await executeGeneration(order, `${order.inputChars} characters`, priority);
  } catch (error) {
    if (!(error instanceof TemporalFailure)) throw error;
    return endChild(order);
  }
}

/** Ends the log of a child that could not start or was ended from outside, and books what it used. */
export function endChild(order: GenerationOrder): Promise<GenerationOutcome> {
  const isCancelled = CancellationScope.current().consideredCancelled;
  return CancellationScope.nonCancellable(async () => {
    const message = 'The run of this generation was ended from outside.';
    const outcome = await closeGeneration({
      order,
      as: isCancelled ? 'cancelled' : 'failed',
      error: { code: isCancelled ? 'cancelled' : 'internal', message },
    });
    await settleBudget({ order, outcome });
    return outcome;
  });
}

/**
 * @param what it reads or writes, for people: `120 characters`
 * @param priority absent: that of the workflow that runs it.
 * @throws a failure of Temporal if its run was ended from outside
 */
export function executeGeneration(
  order: GenerationOrder,
  what: string,
  priority?: TickPriority,
): Promise<GenerationOutcome> {
  const { tenant, user, generationId, candidates } = order;
  const [first] = candidates;
  return executeChild<Generation>(WORKFLOW_TYPE, {
    args: [order],
    workflowId: workflowId(tenant, generationId),
    workflowTaskTimeout: LIMITS.workflowTaskMs,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `${user}: ${what} by ${first?.provider}/${first?.model}`,
    searchAttributes: {
      UnbrokenTenant: [tenant],
      UnbrokenUser: [user],
      UnbrokenStatus: ['running'],
      UnbrokenProvider: [first?.provider ?? ''],
      UnbrokenModel: [first?.model ?? ''],
    },
    ...(priority === undefined ? {} : { priority }),
  });
}
