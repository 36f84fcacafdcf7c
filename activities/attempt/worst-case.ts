/** An upper bound of the cost of a call, which is reserved before the call leaves. */

import type { Candidate } from '../../contracts/generation.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import type { WorstPrice } from '../../engine/budget/ledger.ts';
import type { Dependencies } from '../dependencies.ts';

const MILLION = 1_000_000;

/**
 * An upper bound of the price at every output up to `maxOutputTokens`, of the dearest candidate. The input may be
 * written to the provider's cache, which some bill above plain input.
 */
export function worstPrice(
  priceOf: Dependencies['priceOf'],
  candidates: readonly Candidate[],
  inputTokens: number,
  maxOutputTokens: number,
): WorstPrice {
  const prices = candidates.map(({ provider, model }) => {
    const cost = (outputTokens: number) =>
      Math.max(
        priceOf(provider, model, { ...NO_USAGE, inputTokens, outputTokens }),
        priceOf(provider, model, { ...NO_USAGE, cacheWriteTokens: inputTokens, outputTokens }),
      );
    const [fixedMicroUsd, whole] = [cost(0), cost(maxOutputTokens)];
    // Costs are rounded up to whole micro-USD, so the output alone may cost one more than the difference.
    const output = whole === 0 ? 0 : whole - fixedMicroUsd + 1;
    return { fixedMicroUsd, outputMicroUsdPerMillion: Math.ceil((output * MILLION) / maxOutputTokens) };
  });
  return {
    fixedMicroUsd: Math.max(...prices.map((price) => price.fixedMicroUsd)),
    outputMicroUsdPerMillion: Math.max(...prices.map((price) => price.outputMicroUsdPerMillion)),
  };
}
