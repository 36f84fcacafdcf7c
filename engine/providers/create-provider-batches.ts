/** Creates the adapters to the providers' own batches: those of OpenAI and Anthropic. */
import { UnbrokenError } from '../../contracts/errors.ts';
import type { Config } from '../../platform/config/load-config.ts';
import type { ProviderConfig } from '../../platform/config/schema.ts';
import { VENDORS } from '../../platform/config/vendors.ts';
import { CalledModels, chatCompletionsOf } from '../models/called-model.ts';
import { createAnthropicBatches } from './anthropic-batches/index.ts';
import { settingsOf } from './create-providers.ts';
import { fitCall } from './fit-call.ts';
import { createOpenAiBatches } from './openai-batches/index.ts';
import type { ProviderCall } from './provider.ts';
import type { ProviderBatches } from './provider-batches.ts';

const WIRES: ReadonlySet<ProviderConfig['wire']> = new Set([
  'openai-responses',
  'openai-chat',
  'anthropic-messages',
]);

/** Absent from the map: providers without batches, and those without a key. */
export function createProviderBatches(config: Config): ReadonlyMap<string, ProviderBatches> {
  const batches = new Map<string, ProviderBatches>();
  const models = new CalledModels(config);
  for (const [name, provider] of Object.entries(config.providers)) {
    const keys = config.providerKeys[name] ?? [];
    if (keys.length > 0 && hasBatches(provider))
      batches.set(name, createBatches(config, models, name, provider));
  }
  return batches;
}

/** Servers that speak the same formats at other addresses rarely have batches. */
function hasBatches({ wire, baseUrl, simulated }: ProviderConfig): boolean {
  const isVendor = baseUrl === undefined || baseUrl === VENDORS['openai-chat']?.baseUrl;
  return WIRES.has(wire) && (isVendor || simulated === true);
}

function createBatches(
  config: Config,
  models: CalledModels,
  name: string,
  provider: ProviderConfig,
): ProviderBatches {
  const { baseUrl, secrets, connectMs, proxy, factsOf } = settingsOf(config, models, name, provider);
  const fit = (call: ProviderCall) => fitOrLive(name, call, models);
  const keys = config.providerKeys[name] ?? [];
  const settings = { name, baseUrl, secrets, connectMs, proxy, keys, fit };
  if (provider.wire === 'anthropic-messages') return createAnthropicBatches(settings);
  const reasons = (model: string) => factsOf(model).capabilities.reasoning === true;
  const { quirks } = chatCompletionsOf(name, provider) ?? provider;
  return createOpenAiBatches(settings, { reasons, quirks });
}

/** A call that its model refuses is refused when it is made live, as any other. */
function fitOrLive(name: string, call: ProviderCall, models: CalledModels) {
  try {
    return fitCall(name, call, models);
  } catch (error) {
    if (error instanceof UnbrokenError) return null;
    throw error;
  }
}
