/** Sends one budget warning, with retries for days. A separate run, because the generation ends long before. */
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

// It may retry for days, longer than workers of an old version are kept. Temporal accepts a versioning behaviour only
// from workers of a deployment; other workers have just a build id, computed from their code.
setWorkflowOptions(
  () =>
    workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' } : {},
  budgetWarning,
);

/** Starts a run for each warning. A repeated warning has the same workflow id, so it starts no second run. */
export async function sendWarnings(warnings: readonly BudgetWarning[]): Promise<void> {
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
