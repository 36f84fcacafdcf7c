/** An upper bound of the cost of a call, which is reserved before the call leaves. */
import { hasAudio } from '../../contracts/audio.ts';
import { mayKeepForHour } from '../../contracts/cache-marks.ts';
import type { Candidate, GenerationInput } from '../../contracts/generation.ts';
import { NO_USAGE, type Usage } from '../../contracts/money.ts';
import type { WorstPrice } from '../../engine/budget/ledger.ts';
import type { Dependencies } from '../dependencies.ts';

const MILLION = 1_000_000;

interface WorstCall {
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  /** Whether the provider may charge for keeping the input for an hour. */
  readonly forHour: boolean;
  /** Whether the input has spoken parts, which may cost many times more. */
  readonly isSpoken: boolean;
}

/** What of an input may cost more than its tokens say. */
export function dearParts(input: GenerationInput): Pick<WorstCall, 'forHour' | 'isSpoken'> {
  return { forHour: mayKeepForHour(input), isSpoken: hasAudio(input) };
}

/**
 * An upper bound of the price at every output up to `maxOutputTokens`, of the dearest candidate. The input may be
 * written to the provider's cache, which some bill above plain input.
 */
export function worstPrice(
  priceOf: Dependencies['priceOf'],
  candidates: readonly Candidate[],
  { inputTokens, maxOutputTokens, forHour, isSpoken }: WorstCall,
): WorstPrice {
  const inputs: readonly Partial<Usage>[] = [
    { inputTokens },
    { cacheWriteTokens: inputTokens },
    ...(isSpoken ? [{ inputTokens, inputAudioTokens: inputTokens }] : []),
    ...(forHour ? [{ cacheWriteTokens: inputTokens, cacheWriteHourTokens: inputTokens }] : []),
  ];
  // All of it may be text, pictures or thoughts.
  const outputs: readonly Partial<Usage>[] = [
    { outputTokens: maxOutputTokens },
    { outputTokens: maxOutputTokens, outputImageTokens: maxOutputTokens },
    { reasoningTokens: maxOutputTokens },
  ];
  const prices = candidates.map(({ provider, model }) => {
    const cost = (used: Partial<Usage>) => priceOf(provider, model, { ...NO_USAGE, ...used });
    const costs = inputs.map(cost);
    const whole = Math.max(...outputs.map((output) => cost({ inputTokens, ...output })));
    // Costs are rounded up to whole micro-USD, so the output alone may cost one more than the difference.
    const output = whole === 0 ? 0 : whole - (costs[0] ?? 0) + 1;
    const fixedMicroUsd = Math.max(...costs);
    return { fixedMicroUsd, outputMicroUsdPerMillion: Math.ceil((output * MILLION) / maxOutputTokens) };
  });
  return {
    fixedMicroUsd: Math.max(...prices.map((price) => price.fixedMicroUsd)),
    outputMicroUsdPerMillion: Math.max(...prices.map((price) => price.outputMicroUsdPerMillion)),
  };
}
