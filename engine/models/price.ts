/** The cost of a usage: by the config's own price, else by the price package. */
import { calcPrice } from '@pydantic/genai-prices';
import { inputTokensOf, type MicroUsd, outputTokensOf, type Usage } from '../../contracts/money.ts';
import type { Price } from '../../platform/config/schema.ts';
import { findPricedModel } from './priced-model.ts';

/** A cost that is whole in decimal must not be rounded up because its float is slightly larger. */
const FLOAT_NOISE = 1e-6;

interface CalledModel {
  readonly provider: string;
  readonly model: string;
  /** The provider's name in the price package; absent: the same name. */
  readonly pricedAs?: string | undefined;
}

interface Cost {
  /** Rounded up; 0 if no price is known. */
  readonly costMicroUsd: MicroUsd;
  readonly isKnown: boolean;
}

export function costOf(
  { provider, model, pricedAs = provider }: CalledModel,
  usage: Usage,
  ownPrices: Readonly<Record<string, Price>>,
): Cost {
  const ownPrice = ownPrices[`${provider}/${model}`];
  if (ownPrice !== undefined) return { costMicroUsd: ownCost(usage, ownPrice), isKnown: true };
  const priced = findPricedModel(pricedAs, model);
  if (priced === null) return { costMicroUsd: 0, isKnown: false };
  const tokens = {
    input_tokens: inputTokensOf(usage),
    cache_read_tokens: usage.cachedInputTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    output_tokens: outputTokensOf(usage),
  };
  const price = calcPrice(tokens, model, { provider: priced.provider });
  if (price === null) return { costMicroUsd: 0, isKnown: false };
  return { costMicroUsd: Math.ceil(price.total_price * 1_000_000 - FLOAT_NOISE), isKnown: true };
}

function ownCost(usage: Usage, price: Price): MicroUsd {
  const cachedPrice = price.cachedInputMicroUsdPerMillion ?? price.inputMicroUsdPerMillion;
  const cacheWritePrice = price.cacheWriteMicroUsdPerMillion ?? price.inputMicroUsdPerMillion;
  const perMillion =
    usage.inputTokens * price.inputMicroUsdPerMillion +
    usage.cachedInputTokens * cachedPrice +
    usage.cacheWriteTokens * cacheWritePrice +
    outputTokensOf(usage) * price.outputMicroUsdPerMillion;
  return Math.ceil(perMillion / 1_000_000);
}
