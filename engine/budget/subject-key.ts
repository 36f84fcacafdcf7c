/** The hash in Redis of a subject that budgets limit: its windows, and the sums of their buckets. */
import type { BudgetSubjectKind } from '../../contracts/budgets.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { DAY_MS } from '../../contracts/time.ts';

/** Longer than any window: a hash that expires has no balance left. */
export const SUBJECT_KEEP_MS = 40 * DAY_MS;

export function subjectKey(tenant: string, kind: BudgetSubjectKind, id: string): string {
  return REDIS_KEYS.budget(tenant, 'subject', kind, id);
}
