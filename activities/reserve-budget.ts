/**
 * Reserves the worst case of a generation: its input as it is sent, and the requested output or what the budget has
 * left.
 */

import { budgetOwnerOf } from '../contracts/budgets.ts';
import { cacheUseOf } from '../contracts/cache-mode.ts';
import type { EventBody } from '../contracts/events.ts';
import type { GenerationInput, GenerationOrder } from '../contracts/generation.ts';
import type { StreamStep } from '../contracts/steps.ts';
import { leastOutputTokens, moreImageTokens, worstSentTokens } from '../contracts/tokens.ts';
import type { ReserveOutcome } from '../engine/budget/ledger.ts';
import { type PreparedInput, prepareInput } from './attempt/sent-input.ts';
import { dearParts, worstPrice } from './attempt/worst-case.ts';
import type { Dependencies } from './dependencies.ts';

/** A judge reads two conversations of up to 4,000 characters each, and answers with a word. */
const JUDGE_TOKENS = 4_000;
/** The clocks of a deployment differ by less than this. */
const CLOCK_SKEW_MS = 10 * 60_000;

export interface PreparedReservation extends PreparedInput {
  readonly outcome: ReserveOutcome;
}

export function reserveBudget(dependencies: Dependencies) {
  const { budget, cacheSettings, countTexts, priceOf } = dependencies;
  return async (order: GenerationOrder, input: GenerationInput): Promise<PreparedReservation> => {
    const { generationId, candidates, maxOutputTokens } = order;
    const prepared = await prepareInput(dependencies, order, input);
    const asksJudge = cacheUseOf(order.cache).reads && cacheSettings(order.route).judge;
    // Models that are tried after the input was too long for the others.
    const larger = order.routing?.onContextLength ?? [];
    const models = [...candidates, ...larger];
    const inputTokens =
      (await worstSentTokens(prepared.sent, countTexts)) +
      moreImageTokens(
        prepared.sent.messages,
        models.map(({ model }) => model),
      ) +
      (asksJudge ? JUDGE_TOKENS : 0);
    const outcome = await budget.reserve({
      generationId,
      ...budgetOwnerOf(order),
      inputTokens,
      maxOutputTokens,
      minOutputTokens: leastOutputTokens(maxOutputTokens),
      againSinceMs: againSinceOf(order),
      heldBy: order.batchId,
      price: worstPrice(priceOf, models, {
        inputTokens,
        maxOutputTokens,
        ...dearParts(input),
      }),
    });
    return { ...prepared, outcome };
  };
}

/**
 * What the budgets recorded for this id before this time belongs to an earlier generation. Temporal forgets a run
 * sooner than the budgets do; then only the log shows it. The log has the clock of Redis, a settlement that of a
 * worker.
 */
export function againSinceOf({ againSinceMs, logCreatedAtMs }: GenerationOrder): number | undefined {
  if (againSinceMs !== undefined || logCreatedAtMs === undefined) return againSinceMs;
  return Math.max(0, logCreatedAtMs - CLOCK_SKEW_MS);
}

/** What the log says of a reservation, and of budgets that are near their limit. */
export function budgetNotes(step: StreamStep): EventBody[] {
  const { reservedTokens, reservedMicroUsd = 0, remainingTokens, maxOutputTokens, warnings = [] } = step;
  const reserved = { reservedTokens, reservedMicroUsd, remainingTokens };
  return [
    { type: 'budget-reserve', ...reserved, maxOutputTokens },
    ...warnings.map((standing) => ({ type: 'budget-warn', ...standing }) as const),
  ];
}
