/** Tells of one budget warning, however long the receiver is away. A run of its own: the generation has long ended. */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ParentClosePolicy,
  proxyActivities,
  setWorkflowOptions,
  startChild,
  WorkflowIdReusePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { BudgetWarning } from '../contracts/budgets.ts';

export async function budgetWarning(warning: BudgetWarning): Promise<void> {
  const { sendBudgetWarning } = proxyActivities<Activities>({
    startToCloseTimeout: '30s',
    scheduleToCloseTimeout: '3 days',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10 minutes' },
    summary: `${warning.level}: ${warning.per} ${warning.id}, ${warning.window}`,
  });
  await sendBudgetWarning(warning);
}

// It may try for days: longer than workers of an old version are kept. Temporal takes a behaviour from workers of a
// deployment only; all others have but a build id, made of their code.
setWorkflowOptions(
  () =>
    workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' } : {},
  budgetWarning,
);

/** Begins a run for each; the same warning, told again, finds its run. */
export async function tellOfWarnings(warnings: readonly BudgetWarning[]): Promise<void> {
  for (const warning of warnings) {
    await startChild(budgetWarning, {
      args: [warning],
      workflowId: `${warning.tenant}/${warning.warningId}`,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
    }).catch((error: unknown) => {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    });
  }
}
