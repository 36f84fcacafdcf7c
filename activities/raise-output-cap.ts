/** Raises the output cap of a running generation if its budgets have room for it. */

import { budgetOwnerOf } from '../contracts/budgets.ts';
import type { RaiseStep } from '../contracts/steps.ts';
import type { ReserveOutcome } from '../engine/budget/ledger.ts';
import type { Dependencies } from './dependencies.ts';

export function raiseOutputCap({ budget }: Dependencies) {
  return ({ order, maxOutputTokens }: RaiseStep): Promise<ReserveOutcome> =>
    budget.raise({ generationId: order.generationId, ...budgetOwnerOf(order), maxOutputTokens });
}
