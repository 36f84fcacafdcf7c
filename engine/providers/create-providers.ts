/** Creates the providers of a config: one adapter for each provider that has a key or needs none. */
import { type Message, type Part, partsOf } from '../../contracts/content.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { secretsIn } from '../../contracts/redact.ts';
import { roughInputTokens } from '../../contracts/tokens.ts';
import type { Config } from '../../platform/config/load-config.ts';
import type { ProviderConfig, WireFamily } from '../../platform/config/schema.ts';
import { withMethods } from '../../platform/with-methods.ts';
import { CalledModels, chatCompletionsOf } from '../models/called-model.ts';
import { findInputRefusal } from '../models/refuse-input.ts';
import type { RuledCall } from '../models/rules/rule.ts';
import { fitInput } from '../models/rules/vendor-rules.ts';
import { createAiSdk } from './ai-sdk/index.ts';
import { createAnthropicMessages } from './anthropic-messages/index.ts';
import { createAzureOpenAi } from './azure-openai/index.ts';
import { createBedrock } from './bedrock/index.ts';
import { createCohere } from './cohere/index.ts';
import { createGoogle } from './google/index.ts';
import { createOpenAiChat } from './openai-chat/index.ts';
import { createOpenAiResponses } from './openai-responses/index.ts';
import type { Provider, ProviderCall, ProviderEvent } from './provider.ts';
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

/** Whether every request must cap its output. */
const REQUIRES_CAP: Readonly<Record<WireFamily, boolean>> = {
  'openai-responses': false,
  'openai-chat': false,
  'azure-openai': false,
  'anthropic-messages': true,
  bedrock: true,
  google: false,
  cohere: false,
  'ai-sdk': false,
};

export function createProviders(config: Config): ReadonlyMap<string, Provider> {
  const providers = new Map<string, Provider>();
  const secrets = secretsIn(config.providerKeys);
  const models = new CalledModels(config);
  for (const [name, provider] of Object.entries(config.providers)) {
    const [key] = config.providerKeys[name] ?? [];
    if (key === undefined) continue;
    const adapterOf = (own: ProviderConfig) =>
      ADAPTERS[own.wire]({
        ...callLimits(config.limits, own),
        name,
        apiKey: key.secret ?? NO_KEY,
        secrets,
        baseUrl: own.baseUrl,
        quirks: own.quirks,
        apiVersion: own.apiVersion,
        region: own.region,
        package: own.package,
        factsOf: (model) => models.factsOf(name, model, own),
      });
    const chat = chatCompletionsOf(name, provider);
    const adapters = { own: adapterOf(provider), chat: chat === null ? null : adapterOf(chat) };
    providers.set(name, withinRules(name, adapters, models));
  }
  return providers;
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

/**
 * Refuses an input that the model does not support before the call is sent, fits it to the rules of the vendor, and
 * limits the output to the model's maximum.
 */
function withinRules(name: string, { own, chat }: Adapters, models: CalledModels): Provider {
  return withMethods(own, {
    stream(call: ProviderCall) {
      const input = withoutForeignThoughts(call.input, name);
      const called = models.find({ provider: name, model: call.model }, input);
      if (called === null) return own.stream(call);
      const refusal = findInputRefusal(called);
      if (refusal !== null) throw refusal;
      const fitted = fitInput(called);
      const maxOutputTokens = capOf(call, called);
      // Only the call that started a response in the background can be reattached to.
      const isChat = called.config.wire === 'openai-chat' && call.resume.strategy !== 'reattach';
      const adapter = (isChat ? chat : null) ?? own;
      const events = adapter.stream({ ...call, maxOutputTokens, input: fitted.input });
      return fitted.isRenamed ? withOwnNames(events, fitted.ownName) : events;
    },
  });
}

/** The cap of the call, within what the model can write. */
function capOf({ maxOutputTokens: cap, input }: ProviderCall, { config, facts }: RuledCall): number | null {
  const most = facts.maxOutputTokens;
  if (cap !== null) return Math.min(cap, most ?? Number.POSITIVE_INFINITY);
  if (!REQUIRES_CAP[config.wire]) return null;
  if (most === null) return input.maxOutputTokens;
  // Claude refuses a cap that does not fit into its window beside the input.
  const room = (facts.contextWindow ?? Number.POSITIVE_INFINITY) - roughInputTokens(input);
  return Math.max(Math.min(most, room), Math.min(most, input.maxOutputTokens));
}

/** The tools that the model calls, by the names that the client gave them. */
async function* withOwnNames(
  events: AsyncIterable<ProviderEvent>,
  ownName: (sent: string) => string,
): AsyncGenerator<ProviderEvent> {
  for await (const event of events) {
    yield event.type === 'tool-call' ? { ...event, name: ownName(event.name) } : event;
  }
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
