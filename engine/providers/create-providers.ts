/** Creates the providers of a config: one adapter for each provider that has a key or needs none. */
import { secretsIn } from '../../contracts/redact.ts';
import type { Config } from '../../platform/config/load-config.ts';
import type { ProviderConfig, WireFamily } from '../../platform/config/schema.ts';
import { withMethods } from '../../platform/with-methods.ts';
import { CalledModels, chatCompletionsOf } from '../models/called-model.ts';
import { createAiSdk } from './ai-sdk/index.ts';
import { createAnthropicMessages } from './anthropic-messages/index.ts';
import { createAzureOpenAi } from './azure-openai/index.ts';
import { createBedrock } from './bedrock/index.ts';
import { createCohere } from './cohere/index.ts';
import { fitCall } from './fit-call.ts';
import { createGoogle } from './google/index.ts';
import { createOpenAiChat } from './openai-chat/index.ts';
import { createOpenAiResponses } from './openai-responses/index.ts';
import type { Provider, ProviderCall } from './provider.ts';
import { type CallLimits, NO_KEY, type ProviderSettings } from './provider-settings.ts';

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
  const models = new CalledModels(config);
  for (const [name, provider] of Object.entries(config.providers)) {
    if ((config.providerKeys[name] ?? []).length === 0) continue;
    const adapterOf = (own: ProviderConfig) => ADAPTERS[own.wire](settingsOf(config, models, name, own));
    const chat = chatCompletionsOf(name, provider);
    const adapters = { own: adapterOf(provider), chat: chat === null ? null : adapterOf(chat) };
    providers.set(name, withinRules(name, adapters, models));
  }
  return providers;
}

/** @param own the entry of the config, or what stands in for it. */
export function settingsOf(
  config: Config,
  models: CalledModels,
  name: string,
  own: ProviderConfig,
): ProviderSettings {
  return {
    ...callLimits(config.limits, own),
    name,
    apiKey: config.providerKeys[name]?.[0]?.secret ?? NO_KEY,
    secrets: secretsIn(config.providerKeys),
    baseUrl: own.baseUrl,
    proxy: config.providerProxy,
    quirks: own.quirks,
    apiVersion: own.apiVersion,
    region: own.region,
    package: own.package,
    factsOf: (model) => models.factsOf(name, model, own),
  };
}

/** The limits of the provider where it has its own. */
function callLimits(limits: Config['limits'], provider: ProviderConfig): CallLimits {
  return {
    connectMs: limits.connectMs,
    firstTokenMs: provider.firstTokenMs ?? limits.firstTokenMs,
    betweenTokensMs: provider.betweenTokensMs ?? limits.betweenTokensMs,
    thinkingMs: provider.thinkingMs ?? limits.thinkingMs,
    aliveMs: provider.aliveMs ?? limits.aliveMs,
  };
}

interface Adapters {
  readonly own: Provider;
  /** The same server's chat completions. */
  readonly chat: Provider | null;
}

/** What the provider is called with has passed the rules of its model and vendor. */
function withinRules(name: string, { own, chat }: Adapters, models: CalledModels): Provider {
  return withMethods(own, {
    capabilities(model, input) {
      const called = input === undefined ? null : models.find({ provider: name, model }, input);
      const adapter = (called?.config.wire === 'openai-chat' ? chat : null) ?? own;
      return adapter.capabilities(model);
    },
    stream(call: ProviderCall) {
      const fitted = fitCall(name, call, models);
      if (fitted === null) return own.stream(call);
      // Only the call that started a response in the background can be reattached to.
      const isChat = fitted.wire === 'openai-chat' && call.resume.strategy !== 'reattach';
      const adapter = (isChat ? chat : null) ?? own;
      return fitted.named(adapter.stream(fitted.call));
    },
  });
}
