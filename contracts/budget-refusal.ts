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
}): BudgetRefusal {
  const { budget, remaining } = refused;
  // Also undefined in what runs of an older version recorded.
  if (!budget) return { message: 'Nothing can be reserved for this generation.', details: {} };
  const { per, id, window, unit, limit, resetsAtMs } = budget;
  const amount = (count: number) => (unit === 'tokens' ? `${count} tokens` : formatUsd(count));
  const span = { day: 'daily', month: 'monthly' }[window] ?? `rolling ${window}`;
  return {
    message:
      `The ${span} budget of ${per} ${id}, ${amount(limit)}, has ${amount(remaining)} left; ` +
      `it resets at ${new Date(resetsAtMs).toISOString()}.`,
    details: { per, id, window, unit, limit, remaining, resetsAtMs },
  };
}
