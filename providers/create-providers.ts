/** The providers of a config: one adapter for each that has what it needs. */
import type { Config } from '../config/load-config.ts';
import type { WireFamily } from '../config/schema.ts';
import { createAnthropicMessages } from './anthropic-messages/index.ts';
import { createOpenAiResponses } from './openai-responses/index.ts';
import type { Provider } from './provider.ts';
import type { ProviderSettings } from './provider-settings.ts';

const ADAPTERS: Readonly<Record<WireFamily, (settings: ProviderSettings) => Provider>> = {
  'openai-responses': createOpenAiResponses,
  'anthropic-messages': createAnthropicMessages,
};

export function createProviders(config: Config): ReadonlyMap<string, Provider> {
  const providers = new Map<string, Provider>();
  for (const [name, { wire, baseUrl, capabilities }] of Object.entries(config.providers)) {
    const [key] = config.providerKeys[name] ?? [];
    if (key === undefined) continue;
    // A provider that names no key variable needs none; the SDKs want some key all the same.
    const apiKey = key.secret ?? 'none';
    const { connectMs, firstTokenMs, betweenTokensMs } = config.limits;
    const settings = { name, apiKey, baseUrl, capabilities, connectMs, firstTokenMs, betweenTokensMs };
    providers.set(name, ADAPTERS[wire](settings));
  }
  return providers;
}
