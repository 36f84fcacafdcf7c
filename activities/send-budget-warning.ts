/** Tells the webhook of the config that a budget is near its end. Temporal tries again until it is taken. */
import type { BudgetWarning } from '../contracts/budgets.ts';
import type { Dependencies } from './dependencies.ts';

export function sendBudgetWarning({ notifyBudget }: Dependencies) {
  return async (warning: BudgetWarning): Promise<void> => {
    await notifyBudget?.(warning);
  };
}
