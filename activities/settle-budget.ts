/** Books what a generation used, releases the rest of its reservation, and counts it in the statistics. */

import { budgetOwnerOf } from '../contracts/budgets.ts';
import { promptVersionName } from '../contracts/names.ts';
import type { SettleStep } from '../contracts/steps.ts';
import type { Settled } from '../engine/budget/ledger.ts';
import type { Dependencies } from './dependencies.ts';
import { statisticsOf } from './generation-statistics.ts';
import { recordPromptUse } from './record-prompt-use.ts';

export function settleBudget(dependencies: Dependencies) {
  const { budget, log, notifyBudget } = dependencies;
  return async ({ order, outcome }: SettleStep): Promise<Settled> => {
    const { provider, model, attempts, usage, costMicroUsd } = outcome;
    // Statistics must not keep a budget from being settled.
    const facts = log.facts(order.generationId).catch(() => null);
    const settled = await budget.settle({
      generationId: order.generationId,
      ...budgetOwnerOf(order),
      provider,
      model,
      usage,
      costMicroUsd,
      attempt: attempts,
      prompt: promptVersionName(order.prompt),
      counted: facts.then((known) => statisticsOf(order, outcome, known)),
    });
    await recordPromptUse(dependencies, { order, outcome }, await facts);
    // Each warning starts a run, which is of no use without a webhook.
    return notifyBudget === null ? { warnings: [] } : settled;
  };
}
