/** What a usage costs: the config's own price first, then the price package's data. */
import { calcPrice, type Provider } from '@pydantic/genai-prices';
import type { MicroUsd, Usage } from '../../contracts/money.ts';
import type { Price } from '../../platform/config/schema.ts';

/** A price that is whole in decimal must not be rounded up because its float is a hair above. */
const FLOAT_NOISE = 1e-6;

const REMEMBERED_MODELS = 10_000;
const pricedModels = new Map<string, Provider | null>();

/**
 * The package's provider with this model alone, null where it has no price: to find it among thousands takes longer
 * than all the rest of a price.
 */
function pricedModel(providerId: string, model: string): Provider | null {
  const name = `${providerId}/${model}`;
  const remembered = pricedModels.get(name);
  if (remembered !== undefined) return remembered;
  const found = calcPrice({ input_tokens: 1 }, model, { providerId });
  const priced = found === null ? null : { ...found.provider, models: [found.model] };
  if (pricedModels.size >= REMEMBERED_MODELS) pricedModels.clear();
  pricedModels.set(name, priced);
  return priced;
}

export interface Cost {
  /** Rounded up; 0 where no price is known. */
  readonly costMicroUsd: MicroUsd;
  readonly isKnown: boolean;
}

export function costOf(
  provider: string,
  model: string,
  usage: Usage,
  overrides: Readonly<Record<string, Price>>,
  pricedAs: string = provider,
): Cost {
  const input = usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens;
  const output = usage.outputTokens + usage.reasoningTokens;
  const own = overrides[`${provider}/${model}`];
  if (own !== undefined) {
    const cached = own.cachedInputMicroUsdPerMillion ?? own.inputMicroUsdPerMillion;
    const written = own.cacheWriteMicroUsdPerMillion ?? own.inputMicroUsdPerMillion;
    const micro =
      usage.inputTokens * own.inputMicroUsdPerMillion +
      usage.cachedInputTokens * cached +
      usage.cacheWriteTokens * written +
      output * own.outputMicroUsdPerMillion;
    return { costMicroUsd: Math.ceil(micro / 1_000_000), isKnown: true };
  }
  const known = pricedModel(pricedAs, model);
  const price =
    known === null
      ? null
      : calcPrice(
          {
            input_tokens: input,
            cache_read_tokens: usage.cachedInputTokens,
            cache_write_tokens: usage.cacheWriteTokens,
            output_tokens: output,
          },
          model,
          { provider: known },
        );
  if (price === null) return { costMicroUsd: 0, isKnown: false };
  return { costMicroUsd: Math.ceil(price.total_price * 1_000_000 - FLOAT_NOISE), isKnown: true };
}
