/** What an attempt used when its provider never said: counted with a tokenizer and marked as estimated. */
import type { GenerationInput } from '../contracts/generation.ts';
import { type MicroUsd, NO_USAGE, type Usage } from '../contracts/money.ts';
import { boundInputTokens } from '../contracts/tokens.ts';
import type { Dependencies } from './dependencies.ts';

export function estimateUsage(
  input: GenerationInput,
  prefillText: string,
  ownText: string,
  countTokens: (text: string) => number,
): Usage {
  return {
    ...NO_USAGE,
    inputTokens: boundInputTokens(input, countTokens) + countTokens(prefillText),
    outputTokens: countTokens(ownText),
    estimated: true,
  };
}

export interface Accounted {
  readonly usage: Usage;
  readonly costMicroUsd: MicroUsd;
}

/**
 * Ends an attempt that nobody reads any more: stops it at the provider where it runs on without us, and asks what it
 * used; where the provider does not say, estimates.
 */
export async function accountAbandonedAttempt(
  { providers, priceOf, countTokens }: Dependencies,
  attempt: { provider: string; model: string; ownText: string },
  input: GenerationInput,
  responseId: string | null,
): Promise<Accounted> {
  const provider = providers.get(attempt.provider);
  const reported = responseId === null ? null : ((await provider?.stop?.(responseId)) ?? null);
  const usage = reported ?? estimateUsage(input, '', attempt.ownText, countTokens);
  return { usage, costMicroUsd: priceOf(attempt.provider, attempt.model, usage) };
}
