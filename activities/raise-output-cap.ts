/** Raises the output cap of a running generation, where its budgets have room for it. */

import type { RaiseStep } from '../contracts/steps.ts';
import type { ReserveOutcome } from '../engine/budget/ledger.ts';
import type { Dependencies } from './dependencies.ts';

export function raiseOutputCap({ budget }: Dependencies) {
  return ({ order, maxOutputTokens }: RaiseStep): Promise<ReserveOutcome> => {
    const { generationId, tenant, user, team, keyId } = order;
    return budget.raise({ generationId, tenant, user, team, keyId, maxOutputTokens });
  };
}
