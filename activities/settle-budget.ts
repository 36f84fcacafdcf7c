/** Books what a generation really used and releases the rest of its reservation. */
import { totalTokens } from '../contracts/money.ts';
import type { SettleStep } from '../contracts/steps.ts';
import type { Dependencies } from './dependencies.ts';

export function settleBudget({ budget }: Dependencies) {
  return ({ order, outcome }: SettleStep): Promise<void> =>
    budget.settle({
      generationId: order.generationId,
      tenant: order.tenant,
      user: order.user,
      tokens: totalTokens(outcome.usage),
      costMicroUsd: outcome.costMicroUsd,
      estimated: outcome.usage.estimated,
    });
}
