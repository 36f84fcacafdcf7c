/** An adapter of any wire, as the composition root makes it; silence is limited only where a test is about it. */

import { createProviders } from '../../../engine/providers/create-providers.ts';
import type { Provider } from '../../../engine/providers/provider.ts';
import { providerKeysOf } from '../../../platform/config/gate-schema.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import type { ProviderConfig, WireFamily } from '../../../platform/config/schema.ts';

/** All but that of Azure, which is OpenAI's at another address. */
export const WIRES = [
  'openai-responses',
  'openai-chat',
  'anthropic-messages',
  'google',
  'cohere',
  'ai-sdk',
] as const satisfies readonly WireFamily[];
export const KEY = 'sk-secret-0123456789abcdef';

export function adapterFor(
  name: string,
  config: ProviderConfig,
  limits: { firstTokenMs?: number; betweenTokensMs?: number; thinkingMs?: number; connectMs?: number } = {},
): Provider {
  const base = loadConfig({});
  const provider = createProviders({
    ...base,
    providers: { [name]: { apiKeyEnv: 'KEY', ...config } },
    providerKeys: { [name]: providerKeysOf({ apiKeyEnv: 'KEY' }, { KEY }) },
    limits: {
      ...base.limits,
      connectMs: 10_000,
      firstTokenMs: 20_000,
      betweenTokensMs: 20_000,
      thinkingMs: 20_000,
      ...limits,
    },
  }).get(name);
  if (provider === undefined) throw new Error(`no adapter ${name}`);
  return provider;
}

/** The config of a provider of this wire at the simulated one. */
export function simulatedConfig(wire: WireFamily, url: string): ProviderConfig {
  switch (wire) {
    case 'ai-sdk':
      return { wire, baseUrl: `${url}/v1`, package: '@ai-sdk/groq' };
    case 'openai-responses':
    case 'openai-chat':
      return { wire, baseUrl: `${url}/v1` };
    default:
      return { wire, baseUrl: url };
  }
}

/** The format in which the simulated provider hears from this wire. */
export function simulatedWire(wire: WireFamily) {
  if (wire === 'ai-sdk' || wire === 'azure-openai') return 'openai-chat';
  return wire === 'bedrock' ? 'anthropic-messages' : wire;
}
