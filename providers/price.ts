/** What a usage costs: the config's own price first, then the price package's data. */
import { calcPrice } from '@pydantic/genai-prices';
import type { Price } from '../config/schema.ts';
import type { MicroUsd, Usage } from '../contracts/money.ts';

/** A price that is whole in decimal must not be rounded up because its float is a hair above. */
const FLOAT_NOISE = 1e-6;

/** @returns micro-USD, rounded up; 0 where no price is known. */
export function costOf(
  provider: string,
  model: string,
  usage: Usage,
  overrides: Readonly<Record<string, Price>>,
  pricedAs: string = provider,
): { readonly costMicroUsd: MicroUsd } {
  const input = usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens;
  const output = usage.outputTokens + usage.reasoningTokens;
  const override = overrides[`${provider}/${model}`];
  if (override !== undefined) {
    const micro = input * override.inputMicroUsdPerMillion + output * override.outputMicroUsdPerMillion;
    return { costMicroUsd: Math.ceil(micro / 1_000_000) };
  }
  const price = calcPrice(
    {
      input_tokens: input,
      cache_read_tokens: usage.cachedInputTokens,
      cache_write_tokens: usage.cacheWriteTokens,
      output_tokens: output,
    },
    model,
    { providerId: pricedAs },
  );
  return { costMicroUsd: price === null ? 0 : Math.ceil(price.total_price * 1_000_000 - FLOAT_NOISE) };
}
