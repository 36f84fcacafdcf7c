/** Starts a run that outlives this one. Started again with the same id, it is the same run. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ParentClosePolicy,
  setWorkflowOptions,
  startChild,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';

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

/**
 * Such a run may retry for days, longer than workers of an old version are kept. Temporal accepts a versioning
 * behaviour only from workers of a deployment; other workers have just a build id, computed from their code.
 */
export function outlivesVersions<Argument>(run: Run<Argument>): void {
  setWorkflowOptions(
    () =>
      workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' } : {},
    run,
  );
}
