/** Reserves the worst case of a generation: its input as it is sent, and as much output as it asked for or the budget has left. */

import { cacheUseOf } from '../contracts/cache-mode.ts';
import type { GenerationInput, GenerationOrder } from '../contracts/generation.ts';
import { leastOutputTokens, worstSentTokens } from '../contracts/tokens.ts';
import type { ReserveOutcome } from '../engine/budget/ledger.ts';
import { type PreparedInput, prepareInput } from './attempt/sent-input.ts';
import { worstPrice } from './attempt/worst-case.ts';
import type { Dependencies } from './dependencies.ts';

/** A judge reads two conversations of up to 4,000 characters each, and says a word. */
const JUDGE_TOKENS = 4_000;
/** No two clocks of a deployment are further apart. */
const CLOCK_SKEW_MS = 10 * 60_000;

export interface PreparedReservation extends PreparedInput {
  readonly outcome: ReserveOutcome;
}

export function reserveBudget(dependencies: Dependencies) {
  const { budget, cacheSettings, countTexts, priceOf } = dependencies;
  return async (order: GenerationOrder, input: GenerationInput): Promise<PreparedReservation> => {
    const { generationId, tenant, user, team, keyId, candidates, maxOutputTokens } = order;
    const prepared = await prepareInput(dependencies, generationId, input);
    const asksJudge = cacheUseOf(order.cache).reads && cacheSettings(order.route).judge;
    const inputTokens = (await worstSentTokens(prepared.sent, countTexts)) + (asksJudge ? JUDGE_TOKENS : 0);
    // Models that are asked where the input is too long for the others.
    const larger = order.routing?.onContextLength ?? [];
    const outcome = await budget.reserve({
      generationId,
      tenant,
      user,
      team,
      keyId,
      inputTokens,
      maxOutputTokens,
      minOutputTokens: leastOutputTokens(maxOutputTokens),
      againSinceMs: againSinceOf(order),
      price: worstPrice(priceOf, [...candidates, ...larger], inputTokens, maxOutputTokens),
    });
    return { ...prepared, outcome };
  };
}

/**
 * Before this, what the budgets remember of the id is of an earlier generation. Temporal forgets a run sooner than the
 * budgets do, and then only the log tells; its clock is Redis', and the entry of a settlement has that of a worker.
 */
function againSinceOf({ againSinceMs, logCreatedAtMs }: GenerationOrder): number | undefined {
  if (againSinceMs !== undefined || logCreatedAtMs === undefined) return againSinceMs;
  return Math.max(0, logCreatedAtMs - CLOCK_SKEW_MS);
}
