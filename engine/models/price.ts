/** The cost of a usage: by the config's own price, else by the price package; less in the providers' own batches. */
import { calcPrice } from '@pydantic/genai-prices';
import {
  inputTokensOf,
  type MicroUsd,
  outputTokensOf,
  totalTokens,
  type Usage,
} from '../../contracts/money.ts';
import type { Price } from '../../platform/config/schema.ts';
import { findPricedModel, type PricedModel } from './priced-model.ts';

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

/**
 * A line of a batch costs half of what a call costs, cached and written input included. Sources: "Batch API" of OpenAI,
 * "Batch processing" of Anthropic.
 */
const BATCH_SHARE = 0.5;

export function costOf(called: CalledModel, usage: Usage, ownPrices: Readonly<Record<string, Price>>): Cost {
  const { costMicroUsd, isKnown } = callCost(called, usage, ownPrices);
  if (usage.serviceTier !== 'batch') return { costMicroUsd, isKnown };
  return { costMicroUsd: Math.ceil(costMicroUsd * BATCH_SHARE), isKnown };
}

function callCost(
  { provider, model, pricedAs = provider }: CalledModel,
  usage: Usage,
  ownPrices: Readonly<Record<string, Price>>,
): Cost {
  const ownPrice = ownPrices[`${provider}/${model}`];
  if (ownPrice !== undefined) return { costMicroUsd: ownCost(usage, ownPrice), isKnown: true };
  const priced = findPricedModel(pricedAs, model);
  if (priced === null) return { costMicroUsd: 0, isKnown: false };
  // Some models have a price for each call (Perplexity), too. Without a token, it was refused.
  if (totalTokens(usage) === 0) return { costMicroUsd: 0, isKnown: true };
  const usd = packageCost(usage, priced);
  if (usd === null) return { costMicroUsd: 0, isKnown: false };
  return { costMicroUsd: Math.ceil(usd * 1_000_000 - FLOAT_NOISE), isKnown: true };
}

/**
 * In USD. For resellers, the package has one price of cache writes; one that is kept for an hour costs twice the input
 * there, too. Sources: "Prompt caching" of Anthropic, Amazon Bedrock and OpenRouter.
 */
function packageCost(usage: Usage, { name, provider, model_price }: PricedModel): number | null {
  const forHour = usage.cacheWriteHourTokens ?? 0;
  const input = inputTokensOf(usage);
  const isPriced = model_price['cache_write_1h_mtok'] !== undefined;
  const price = calcPrice(
    {
      input_tokens: input,
      input_audio_tokens: usage.inputAudioTokens ?? 0,
      cache_read_tokens: usage.cachedInputTokens,
      // The tokens of an unpriced hour count as plain input here; the second half of their price is added below.
      cache_write_tokens: isPriced ? usage.cacheWriteTokens : usage.cacheWriteTokens - forHour,
      cache_write_1h_tokens: isPriced ? forHour : 0,
      output_tokens: outputTokensOf(usage),
      output_image_tokens: usage.outputImageTokens ?? 0,
      output_reasoning_tokens: usage.reasoningTokens,
    },
    name,
    { provider },
  );
  if (price === null || isPriced || forHour === 0) return price?.total_price ?? null;
  const plain = calcPrice({ input_tokens: input }, name, { provider });
  return price.total_price + ((plain?.total_price ?? 0) * forHour) / input;
}

function ownCost(usage: Usage, price: Price): MicroUsd {
  const cachedPrice = price.cachedInputMicroUsdPerMillion ?? price.inputMicroUsdPerMillion;
  const cacheWritePrice = price.cacheWriteMicroUsdPerMillion ?? price.inputMicroUsdPerMillion;
  const hourPrice = price.cacheWriteHourMicroUsdPerMillion ?? hourPriceOf(price);
  const audioPrice = price.inputAudioMicroUsdPerMillion ?? price.inputMicroUsdPerMillion;
  const imagePrice = price.outputImageMicroUsdPerMillion ?? price.outputMicroUsdPerMillion;
  const forHour = usage.cacheWriteHourTokens ?? 0;
  const spoken = usage.inputAudioTokens ?? 0;
  const drawn = usage.outputImageTokens ?? 0;
  const perMillion =
    (usage.inputTokens - spoken) * price.inputMicroUsdPerMillion +
    spoken * audioPrice +
    usage.cachedInputTokens * cachedPrice +
    (usage.cacheWriteTokens - forHour) * cacheWritePrice +
    forHour * hourPrice +
    (outputTokensOf(usage) - drawn) * price.outputMicroUsdPerMillion +
    drawn * imagePrice;
  return Math.ceil(perMillion / 1_000_000);
}

/** Where writes have a price, an hour costs twice the input: "Prompt caching" of Anthropic. */
function hourPriceOf({
  inputMicroUsdPerMillion: input,
  cacheWriteMicroUsdPerMillion: write,
}: Price): MicroUsd {
  return write === undefined ? input : Math.max(write, 2 * input);
}
