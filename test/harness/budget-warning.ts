/** A warning of a budget, as the ledger gives it. */
import type { BudgetWarning } from '../../contracts/budgets.ts';

/** A user has spent nearly all of a day's tokens. */
export function warningOf(warningId: string, tenant: string): BudgetWarning {
  return {
    warningId,
    tenant,
    per: 'user',
    id: 'ann',
    window: 'day',
    unit: 'tokens',
    limit: 100,
    spent: 81,
    resetsAtMs: 0,
    level: 'near',
    mode: 'hard',
    generationId: 'gen_1',
    atMs: 0,
  };
}
