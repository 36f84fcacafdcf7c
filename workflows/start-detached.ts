/** Starts a run that outlives this one. Started again with the same id, it is the same run. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { ParentClosePolicy, startChild, WorkflowIdReusePolicy } from '@temporalio/workflow';

type Run<Argument> = (argument: Argument) => Promise<void>;

export async function startDetached<Argument>(
  run: Run<Argument>,
  workflowId: string,
  argument: Argument,
): Promise<void> {
  await startChild<Run<Argument>>(run, {
    args: [argument],
    workflowId,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
  }).catch((error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  });
}
