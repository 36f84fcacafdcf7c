/** A refusal of the budgets as an error: 429 with what is left, and Retry-After until it resets. */

import { describeRefusal } from '../../contracts/budget-refusal.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { Refused } from '../../engine/budget/ledger.ts';

export function budgetExceeded(refused: Refused): UnbrokenError {
  const { message, details } = describeRefusal(refused);
  const resetsAtMs = refused.budget?.resetsAtMs;
  return new UnbrokenError('budget_exceeded', message, {
    details: { ...details },
    ...(resetsAtMs === undefined ? {} : { retryAfterMs: Math.max(0, resetsAtMs - Date.now()) }),
  });
}
