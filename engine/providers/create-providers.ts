/** The providers of a config: one adapter for each that has what it needs. */

import { secretsIn } from '../../contracts/redact.ts';
import type { Config } from '../../platform/config/load-config.ts';
import type { WireFamily } from '../../platform/config/schema.ts';
import { factsOf } from '../models/catalogue.ts';
import { refusalOf } from '../models/refuse-input.ts';
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
      factsOf: memoized((model) => factsOf(config, name, model)),
    };
    providers.set(name, withinAbilities(ADAPTERS[provider.wire](settings), settings));
  }
  return providers;
}

/** Refuses what the model cannot do before the call leaves, and asks for no more output than it gives. */
function withinAbilities(provider: Provider, { name, factsOf: facts }: ProviderSettings): Provider {
  return {
    ...provider,
    stream(call: ProviderCall) {
      const known = facts(call.model);
      const refusal = refusalOf(`${name}/${call.model}`, known, call.input);
      if (refusal !== null) throw refusal;
      const maxOutputTokens = Math.min(
        call.maxOutputTokens,
        known.maxOutputTokens ?? Number.POSITIVE_INFINITY,
      );
      return provider.stream({ ...call, maxOutputTokens });
    },
  };
}

/** Finding out about a model takes longer than a call should be held up. Callers name models, so few are kept. */
const REMEMBERED_MODELS = 10_000;

function memoized<Value>(find: (model: string) => Value): (model: string) => Value {
  const found = new Map<string, Value>();
  return (model) => {
    const known = found.get(model) ?? find(model);
    if (found.size >= REMEMBERED_MODELS) found.clear();
    found.set(model, known);
    return known;
  };
}
