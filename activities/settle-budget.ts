/** Books what a generation used, releases the rest of its reservation, and counts it in its prompt's statistics. */

import { budgetOwnerOf } from '../contracts/budgets.ts';
import { totalTokens } from '../contracts/money.ts';
import type { SettleStep } from '../contracts/steps.ts';
import type { Settled } from '../engine/budget/ledger.ts';
import type { Dependencies } from './dependencies.ts';
import { recordPromptUse } from './record-prompt-use.ts';

export function settleBudget(dependencies: Dependencies) {
  const { budget, notifyBudget } = dependencies;
  return async ({ order, outcome }: SettleStep): Promise<Settled> => {
    const { provider, model, attempts, usage, costMicroUsd } = outcome;
    const settled = await budget.settle({
      generationId: order.generationId,
      ...budgetOwnerOf(order),
      provider,
      model,
      costMicroUsd,
      tokens: totalTokens(usage),
      estimated: usage.estimated,
      attempt: attempts,
    });
    await recordPromptUse(dependencies, { order, outcome });
    // Each warning starts a run, which is of no use without a webhook.
    return notifyBudget === null ? { warnings: [] } : settled;
  };
}
