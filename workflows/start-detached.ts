/** Starts a run that outlives this one. Started again with the same id, it is the same run. */
import { type SearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, WorkflowIdReusePolicy, workflowInfo } from '@temporalio/workflow';

type Run<Argument> = (argument: Argument) => Promise<void>;

export async function startDetached<Argument>(
  run: Run<Argument>,
  workflowId: string,
  argument: Argument,
): Promise<void> {
  await startChild<Run<Argument>>(run, {
    args: [argument],
    workflowId,
    searchAttributes: ownerOfThis(),
    parentClosePolicy: ParentClosePolicy.ABANDON,
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
  }).catch((error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  });
}

/** The run inherits the fairness key, which names the user: an erasure finds it by whose it is. */
function ownerOfThis(): SearchAttributes {
  const { UnbrokenTenant: tenant, UnbrokenUser: user } = workflowInfo().searchAttributes;
  if (tenant === undefined || user === undefined) return {};
  return { UnbrokenTenant: tenant, UnbrokenUser: user };
}
