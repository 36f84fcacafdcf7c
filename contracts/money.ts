/**
 * Money and usage. Money is an integer in micro-USD (1 USD = 1,000,000), so that sums are exact.
 * Usage parts are disjoint: a token is counted in exactly one of them. The workflow bundles this file and evaluates
 * it for every run, so it must stay free of libraries (zod here cost 20 ms a run); the schema is in generation.ts.
 */
export type MicroUsd = number;

export interface Usage {
  /** Prompt tokens that were neither read from nor written to the provider's prompt cache. */
  readonly inputTokens: number;
  /** Those of `inputTokens` that are spoken, which some models price apart; absent: none. */
  readonly inputAudioTokens?: number | undefined;
  readonly cachedInputTokens: number;
  readonly cacheWriteTokens: number;
  /** Those of `cacheWriteTokens` that the provider keeps for an hour, at a higher price; absent: none. */
  readonly cacheWriteHourTokens?: number | undefined;
  /** Visible output tokens; reasoning tokens are counted apart. */
  readonly outputTokens: number;
  /** Those of `outputTokens` that are pictures, which cost many times more than text; absent: none. */
  readonly outputImageTokens?: number | undefined;
  readonly reasoningTokens: number;
  /** True if the provider never reported and we counted with a tokenizer. */
  readonly estimated: boolean;
  /** `batch`: all of it was used in the provider's own batches, which cost less; absent: in calls. */
  readonly serviceTier?: 'batch' | undefined;
}

export const NO_USAGE: Usage = Object.freeze({
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
  estimated: false,
});

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    ...audioTokens((a.inputAudioTokens ?? 0) + (b.inputAudioTokens ?? 0)),
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
    ...hourTokens((a.cacheWriteHourTokens ?? 0) + (b.cacheWriteHourTokens ?? 0)),
    outputTokens: a.outputTokens + b.outputTokens,
    ...imageTokens((a.outputImageTokens ?? 0) + (b.outputImageTokens ?? 0)),
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
    estimated: a.estimated || b.estimated,
    ...tierOfSum(a, b),
  };
}

/** A sum that is partly of calls has no tier: it is not priced again. */
function tierOfSum(a: Usage, b: Usage): Pick<Usage, 'serviceTier'> {
  const isOther = (usage: Usage) => usage.serviceTier === undefined && totalTokens(usage) > 0;
  return isOther(a) || isOther(b) ? {} : serviceTier(a.serviceTier ?? b.serviceTier);
}

/** The optional part of a usage. */
export function serviceTier(tier: Usage['serviceTier']): Pick<Usage, 'serviceTier'> {
  return tier === undefined ? {} : { serviceTier: tier };
}

/** The optional part of a usage: absent where it is 0, as in all usage that was recorded before there was one. */
export function hourTokens(cacheWriteHourTokens: number): Pick<Usage, 'cacheWriteHourTokens'> {
  return cacheWriteHourTokens === 0 ? {} : { cacheWriteHourTokens };
}

/** The same of spoken input. */
export function audioTokens(inputAudioTokens: number): Pick<Usage, 'inputAudioTokens'> {
  return inputAudioTokens === 0 ? {} : { inputAudioTokens };
}

/** The same of pictures in the output. */
export function imageTokens(outputImageTokens: number): Pick<Usage, 'outputImageTokens'> {
  return outputImageTokens === 0 ? {} : { outputImageTokens };
}

/** What is counted of a usage, or of sums of usage. */
type TokenCounts = Omit<
  Usage,
  'inputAudioTokens' | 'cacheWriteHourTokens' | 'outputImageTokens' | 'estimated'
>;

/** Input tokens as vendors count them: those read from and written to the prompt cache are part of the input. */
export function inputTokensOf(usage: TokenCounts): number {
  return usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens;
}

/** Output tokens as vendors count them: reasoning is part of the output. */
export function outputTokensOf(usage: TokenCounts): number {
  return usage.outputTokens + usage.reasoningTokens;
}

/** All tokens of a usage, in and out: what a token budget counts. */
export function totalTokens(usage: TokenCounts): number {
  return inputTokensOf(usage) + outputTokensOf(usage);
}

export function formatUsd(amount: MicroUsd): string {
  return `$${(amount / 1_000_000).toFixed(6)}`;
}
