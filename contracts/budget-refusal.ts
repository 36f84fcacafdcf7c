/**
 * The message of a refusal by a budget. Not in budgets.ts, whose schemas bring a library: the workflow bundles this
 * file.
 */
import type { BudgetStanding } from './budgets.ts';
import { formatUsd } from './money.ts';

interface BudgetRefusal {
  readonly message: string;
  readonly details: Readonly<Record<string, string | number>>;
}

/** @param budget null: the generation is over, or was never reserved. */
export function describeRefusal(refused: {
  readonly budget: BudgetStanding | null;
  readonly remaining: number;
  readonly needed?: number;
}): BudgetRefusal {
  const { budget, remaining, needed } = refused;
  // Also undefined in what runs of an older version recorded.
  if (!budget) return { message: 'Nothing can be reserved for this generation.', details: {} };
  const { per, id, window, unit, limit, resetsAtMs } = budget;
  const amount = (count: number) => (unit === 'tokens' ? `${count} tokens` : formatUsd(count));
  const span = { day: 'daily', month: 'monthly' }[window] ?? `rolling ${window}`;
  const wanted = needed === undefined ? '' : `, and this needs at least ${amount(needed)}`;
  // Waiting would not help.
  const end =
    needed !== undefined && needed > limit
      ? 'more than the whole budget'
      : `it resets at ${new Date(resetsAtMs).toISOString()}`;
  const facts = { per, id, window, unit, limit, remaining, resetsAtMs };
  return {
    message: `The ${span} budget of ${per} ${id}, ${amount(limit)}, has ${amount(remaining)} left${wanted}; ${end}.`,
    details: needed === undefined ? facts : { ...facts, needed },
  };
}
