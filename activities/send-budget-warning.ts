/** Sends a budget warning to the configured webhook. Temporal retries until the receiver accepts it. */
import type { BudgetWarning } from '../contracts/budgets.ts';
import type { Dependencies } from './dependencies.ts';

export function sendBudgetWarning({ notifyBudget }: Dependencies) {
  return async (warning: BudgetWarning): Promise<void> => {
    await notifyBudget?.(warning);
  };
}
