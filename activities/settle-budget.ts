/** Books what a generation really used and releases the rest of its reservation; tells its prompt's statistics. */
import { totalTokens } from '../contracts/money.ts';
import type { SettleStep } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';
import { recordPromptUse } from './record-prompt-use.ts';

export function settleBudget(dependencies: Dependencies) {
  return async (step: SettleStep): Promise<void> => {
    const { order, outcome } = step;
    await dependencies.budget.settle({
      generationId: order.generationId,
      tenant: order.tenant,
      user: order.user,
      tokens: totalTokens(outcome.usage),
      costMicroUsd: outcome.costMicroUsd,
      estimated: outcome.usage.estimated,
    });
    await recordPromptUse(dependencies, step);
  };
}
