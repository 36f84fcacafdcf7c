/**
 * Finds the prices of a model in the price package. Its answer is kept, because the search takes longer than a price.
 */
import { calcPrice, type Provider } from '@pydantic/genai-prices';
import { BoundedMap } from '../../platform/bounded-map.ts';

type PackagePrice = NonNullable<ReturnType<typeof calcPrice>>;

export interface PricedModel extends Pick<PackagePrice, 'model' | 'model_price'> {
  /** The package's provider with this model only, so that a further search is short. */
  readonly provider: Provider;
  /** By which the package knows it. */
  readonly name: string;
}

/**
 * What vendors let callers add to a name, without another price for a token: how OpenRouter routes or prompts the model
 * ("Model variants"), and Gemini's kind of resource. Not `:free`: that is another model.
 */
const ADDED = /^models\/|:(?:nitro|floor|exacto|online|thinking|extended)$/g;

/** Callers choose the names of models, so their number has a limit. */
const pricedModels = new BoundedMap<string, PricedModel | null>(10_000);

/** @returns null if the package has no price. */
export function findPricedModel(providerId: string, model: string): PricedModel | null {
  return pricedModels.getOrCreate(`${providerId}/${model}`, () => {
    for (const name of new Set([model, model.replaceAll(ADDED, '')])) {
      const price = calcPrice({ input_tokens: 1 }, name, { providerId });
      if (price === null) continue;
      return {
        name,
        model: price.model,
        model_price: price.model_price,
        provider: { ...price.provider, models: [price.model] },
      };
    }
    return null;
  });
}
