/** The options of a generation that another workflow starts as its child. */
import { ParentClosePolicy } from '@temporalio/workflow';
import type { GenerationOrder } from '../contracts/generation.ts';
import { LIMITS } from '../contracts/limits.ts';
import { workflowId } from '../contracts/names.ts';

/** @param what it reads or writes, for people: `120 characters` */
export function childOptions(order: GenerationOrder, what: string) {
  const { tenant, user, generationId, candidates } = order;
  const [first] = candidates;
  return {
    args: [order] as [GenerationOrder],
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
  };
}
