/** Sends one budget warning, with retries for days. A separate run, because the generation ends long before. */
import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { BudgetWarning } from '../contracts/budgets.ts';
import { outlivesVersions } from './outlives-versions.ts';
import { startDetached } from './start-detached.ts';

export async function budgetWarning(warning: BudgetWarning): Promise<void> {
  const { sendBudgetWarning } = proxyActivities<Activities>({
    startToCloseTimeout: '30s',
    scheduleToCloseTimeout: '3 days',
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10 minutes' },
    summary: `${warning.level}: ${warning.per} ${warning.id}, ${warning.window}`,
  });
  await sendBudgetWarning(warning);
}

outlivesVersions(budgetWarning);

/** Starts a run for each warning. A repeated warning has the same workflow id, so it starts no second run. */
export async function sendWarnings(warnings: readonly BudgetWarning[]): Promise<void> {
  for (const warning of warnings) {
    await startDetached(budgetWarning, `${warning.tenant}/${warning.warningId}`, warning);
  }
}
