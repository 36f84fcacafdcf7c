/** Says in the log what is reserved for a generation, and which budgets are near their end. */
import type { EventBody } from '../contracts/events.ts';
import type { StreamStep } from '../contracts/steps.ts';

export function budgetNotes(step: StreamStep): EventBody[] {
  const { reservedTokens, reservedMicroUsd = 0, remainingTokens, maxOutputTokens, warnings = [] } = step;
  const reserved = { reservedTokens, reservedMicroUsd, remainingTokens };
  return [
    { type: 'budget-reserve', ...reserved, maxOutputTokens },
    ...warnings.map((standing) => ({ type: 'budget-warn', ...standing }) as const),
  ];
}
