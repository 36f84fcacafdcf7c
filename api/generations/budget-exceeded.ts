/** Maps a refusal of the budget ledger to an error: 429 with what is left, and Retry-After until the budget resets. */
import { describeRefusal } from '../../contracts/budget-refusal.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { Refused } from '../../engine/budget/ledger.ts';

export function budgetExceeded(refusal: Refused): UnbrokenError {
  const { message, details } = describeRefusal(refusal);
  const resetsAtMs = refusal.budget?.resetsAtMs;
  return new UnbrokenError('budget_exceeded', message, {
    details: { ...details },
    ...(resetsAtMs === undefined ? {} : { retryAfterMs: Math.max(0, resetsAtMs - Date.now()) }),
  });
}
