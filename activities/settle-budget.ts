/**
 * Books what a generation used, releases the rest of its reservation, counts it in the statistics, and prepares the
 * webhooks that learn of its end.
 */

import { budgetOwnerOf } from '../contracts/budgets.ts';
import { promptVersionName } from '../contracts/names.ts';
import type { SettledGeneration, SettleStep } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';
import { statisticsOf } from './generation-statistics.ts';
import { notifyEnded } from './notify-ended.ts';
import { recordPromptUse } from './record-prompt-use.ts';
import { againSinceOf } from './reserve-budget.ts';

export function settleBudget(dependencies: Dependencies) {
  const { budget, log, notifyBudget, ended } = dependencies;
  return async ({ order, outcome }: SettleStep): Promise<SettledGeneration> => {
    const { provider, model, attempts, usage, costMicroUsd } = outcome;
    // Statistics must not keep a budget from being settled.
    const facts = log.facts(order.generationId).catch(() => null);
    // Every generation is settled at least once after its log has ended, whichever process dies.
    const noted = Promise.resolve(ended?.note(order.generationId));
    noted.catch(() => 'awaited below');
    const settling = budget.settle({
      generationId: order.generationId,
      ...budgetOwnerOf(order),
      provider,
      model,
      usage,
      costMicroUsd,
      attempt: attempts,
      prompt: promptVersionName(order.prompt),
      againSinceMs: againSinceOf(order),
      counted: facts.then((known) => statisticsOf(order, outcome, known)),
    });
    const [settled, deliveries] = await Promise.all([settling, notifyEnded(dependencies, order, outcome)]);
    await Promise.all([recordPromptUse(dependencies, { order, outcome }, await facts), noted]);
    // Each warning starts a run, which is of no use without a webhook.
    const warnings = notifyBudget === null ? [] : settled.warnings;
    return { warnings, ...(deliveries.length === 0 ? {} : { deliveries }) };
  };
}
