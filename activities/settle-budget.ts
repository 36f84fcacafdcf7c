/** Books what a generation really used and releases the rest of its reservation. */
import type { Settled } from '../budget/ledger.ts';
import { totalTokens } from '../contracts/money.ts';
import type { SettleStep } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';

export function settleBudget({ budget, notifyBudget }: Dependencies) {
  return async ({ order, outcome }: SettleStep): Promise<Settled> => {
    const { generationId, tenant, user, team, keyId } = order;
    const { provider, model, attempts, usage, costMicroUsd } = outcome;
    const settled = await budget.settle({
      ...{ generationId, tenant, user, team, keyId, provider, model, costMicroUsd },
      ...{ tokens: totalTokens(usage), estimated: usage.estimated, attempt: attempts },
    });
    // Warnings start a run of their own, which nobody needs where nobody is told.
    return notifyBudget === null ? { warnings: [] } : settled;
  };
}
