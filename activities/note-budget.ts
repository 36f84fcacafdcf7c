/** Says in the log what is reserved for a generation, and which budgets are near their end. */
import type { StreamStep } from '../contracts/steps.ts';
import type { LogWriter } from '../streaming/event-log.ts';

export function noteBudget(step: StreamStep, writer: LogWriter): void {
  const { reservedTokens, reservedMicroUsd = 0, remainingTokens, maxOutputTokens } = step;
  const reserved = { reservedTokens, reservedMicroUsd, remainingTokens };
  void writer.write({ type: 'budget-reserve', ...reserved, maxOutputTokens });
  for (const standing of step.warnings ?? []) void writer.write({ type: 'budget-warn', ...standing });
}
