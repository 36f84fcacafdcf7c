/** Creates the providers of a config: one adapter for each provider that has a key or needs none. */
import { type Message, type Part, partsOf } from '../../contracts/content.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import type { ModelFacts } from '../../contracts/model.ts';
import { secretsIn } from '../../contracts/redact.ts';
import { BoundedMap } from '../../platform/bounded-map.ts';
import type { Config } from '../../platform/config/load-config.ts';
import type { WireFamily } from '../../platform/config/schema.ts';
import { withMethods } from '../../platform/with-methods.ts';
import { factsOf } from '../models/catalogue.ts';
import { findInputRefusal } from '../models/refuse-input.ts';
import { createAiSdk } from './ai-sdk/index.ts';
import { createAnthropicMessages } from './anthropic-messages/index.ts';
import { createAzureOpenAi } from './azure-openai/index.ts';
import { createBedrock } from './bedrock/index.ts';
import { createCohere } from './cohere/index.ts';
import { createGoogle } from './google/index.ts';
import { createOpenAiChat } from './openai-chat/index.ts';
import { createOpenAiResponses } from './openai-responses/index.ts';
import type { Provider, ProviderCall } from './provider.ts';
import { NO_KEY, type ProviderSettings } from './provider-settings.ts';

/** Callers choose the names of models, so the number of models whose facts are kept has a limit. */
const MODELS_KEPT = 10_000;

const ADAPTERS: Readonly<Record<WireFamily, (settings: ProviderSettings) => Provider>> = {
  'openai-responses': createOpenAiResponses,
  'openai-chat': createOpenAiChat,
  'azure-openai': createAzureOpenAi,
  'anthropic-messages': createAnthropicMessages,
  bedrock: createBedrock,
  google: createGoogle,
  cohere: createCohere,
  'ai-sdk': createAiSdk,
};

export function createProviders(config: Config): ReadonlyMap<string, Provider> {
  const providers = new Map<string, Provider>();
  const secrets = secretsIn(config.providerKeys);
  for (const [name, provider] of Object.entries(config.providers)) {
    const [key] = config.providerKeys[name] ?? [];
    if (key === undefined) continue;
    const apiKey = key.secret ?? NO_KEY;
    const facts = new BoundedMap<string, ModelFacts>(MODELS_KEPT);
    const settings: ProviderSettings = {
      ...config.limits,
      name,
      apiKey,
      secrets,
      baseUrl: provider.baseUrl,
      quirks: provider.quirks,
      apiVersion: provider.apiVersion,
      region: provider.region,
      package: provider.package,
      factsOf: (model) => facts.getOrCreate(model, () => factsOf(config, name, model)),
    };
    providers.set(name, withinAbilities(ADAPTERS[provider.wire](settings), settings, provider.wire));
  }
  return providers;
}

/** Refuses an input that the model does not support before the call is sent, and limits the output to its maximum. */
function withinAbilities(
  provider: Provider,
  { name, factsOf: modelFacts }: ProviderSettings,
  wire: WireFamily,
): Provider {
  return withMethods(provider, {
    stream(call: ProviderCall) {
      const facts = modelFacts(call.model);
      const refusal = findInputRefusal({ provider: name, model: call.model, wire }, facts, call.input);
      if (refusal !== null) throw refusal;
      const maxOutputTokens = Math.min(
        call.maxOutputTokens,
        facts.maxOutputTokens ?? Number.POSITIVE_INFINITY,
      );
      return provider.stream({ ...call, maxOutputTokens, input: withoutForeignThoughts(call.input, name) });
    },
  });
}

/** Thoughts that another provider signed are of no use to this one, which would refuse them. */
function withoutForeignThoughts(input: GenerationInput, provider: string): GenerationInput {
  const isForeign = (part: Part) =>
    part.type === 'native' && part.issuer !== undefined && part.issuer !== provider;
  if (!input.messages.some((message) => partsOf(message).some(isForeign))) return input;
  const messages = input.messages.flatMap((message): Message[] => {
    const content = partsOf(message).filter((part) => !isForeign(part));
    return content.length === 0 ? [] : [{ ...message, content }];
  });
  return { ...input, messages };
}
