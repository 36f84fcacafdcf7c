/**
 * Finds the prices of a model in the price package. Its answer is kept, because the search takes longer than a price.
 */
import { calcPrice, type Provider } from '@pydantic/genai-prices';
import { BoundedMap } from '../../platform/bounded-map.ts';

type PackagePrice = NonNullable<ReturnType<typeof calcPrice>>;

export interface PricedModel extends Pick<PackagePrice, 'model' | 'model_price'> {
  /** The package's provider with this model only, so that a further search is short. */
  readonly provider: Provider;
}

/** Callers choose the names of models, so their number has a limit. */
const pricedModels = new BoundedMap<string, PricedModel | null>(10_000);

/** @returns null if the package has no price. */
export function findPricedModel(providerId: string, model: string): PricedModel | null {
  return pricedModels.getOrCreate(`${providerId}/${model}`, () => {
    const price = calcPrice({ input_tokens: 1 }, model, { providerId });
    if (price === null) return null;
    return {
      model: price.model,
      model_price: price.model_price,
      provider: { ...price.provider, models: [price.model] },
    };
  });
}
