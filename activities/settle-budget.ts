/** Books what a generation really used and releases the rest of its reservation; tells its prompt's statistics. */

import { totalTokens } from '../contracts/money.ts';
import type { SettleStep } from '../contracts/steps.ts';
import type { Settled } from '../engine/budget/ledger.ts';
import type { Dependencies } from './dependencies.ts';
import { recordPromptUse } from './record-prompt-use.ts';

export function settleBudget(dependencies: Dependencies) {
  const { budget, notifyBudget } = dependencies;
  return async ({ order, outcome }: SettleStep): Promise<Settled> => {
    const { generationId, tenant, user, team, keyId } = order;
    const { provider, model, attempts, usage, costMicroUsd } = outcome;
    const settled = await budget.settle({
      generationId,
      tenant,
      user,
      team,
      keyId,
      provider,
      model,
      costMicroUsd,
      tokens: totalTokens(usage),
      estimated: usage.estimated,
      attempt: attempts,
    });
    await recordPromptUse(dependencies, { order, outcome });
    // Warnings start a run of their own, which nobody needs where nobody is told.
    return notifyBudget === null ? { warnings: [] } : settled;
  };
}
