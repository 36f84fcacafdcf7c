/** Any provider package of the AI SDK (`@ai-sdk/provider`, V3 or V4), by the name of its npm package. */
import type { LanguageModelV3, LanguageModelV4 } from '@ai-sdk/provider';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { assertInstalled, loadInstalled } from '../../../platform/optional-package.ts';
import { createAdapter } from '../adapter.ts';
import type { Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { mapAiSdkError } from './errors.ts';
import { buildAiSdkRequest } from './request.ts';
import { mapAiSdkStream } from './stream.ts';

type Model = LanguageModelV3 | LanguageModelV4 | { readonly specificationVersion: 'v2' };
type CreateProvider = (
  settings: object,
) => { readonly languageModel?: (modelId: string) => Model } | undefined;

export function createAiSdk(settings: ProviderSettings): Provider {
  const packageName = settings.package ?? '';
  assertInstalled(settings.name, packageName);
  return createAdapter(settings, {
    stream: (call, link) => streamAiSdk(call, settings, packageName, link),
    mapError: mapAiSdkError,
  });
}

async function* streamAiSdk(
  call: ProviderCall,
  { name, baseUrl }: ProviderSettings,
  packageName: string,
  { apiKey, fetch, signal }: Link,
): AsyncGenerator<ProviderEvent> {
  const createProvider = findProviderFactory(await loadInstalled(packageName), packageName);
  const provider = createProvider({
    name,
    apiKey,
    fetch,
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl }),
  });
  if (typeof provider?.languageModel !== 'function') throw notAProvider(packageName);
  const model = provider.languageModel(call.model);
  const { specificationVersion: version } = model;
  if (version !== 'v3' && version !== 'v4') {
    const message = `${packageName} has the interface ${version}; v3 and v4 are supported. Install a newer version.`;
    throw new UnbrokenError('provider_bad_request', message);
  }
  const request = buildAiSdkRequest(call, signal, version);
  // The two versions differ in what they add; what we request is in both.
  const { stream } = await (model as LanguageModelV4).doStream(request);
  yield { type: 'accepted' };
  yield* mapAiSdkStream(stream, call);
}

/** `createGroq` of `@ai-sdk/groq`: the factory with the package's name, else the only one. */
function findProviderFactory(module: Record<string, unknown>, packageName: string): CreateProvider {
  const factories = Object.entries(module).filter(
    ([name, value]) => name.startsWith('create') && typeof value === 'function',
  );
  const letters = packageName.replaceAll(/[^a-z]/g, '');
  const named = factories.find(([name]) => letters.includes(name.slice('create'.length).toLowerCase()));
  const factory = (named ?? factories[0])?.[1];
  if (factory === undefined) throw notAProvider(packageName);
  return factory as CreateProvider;
}

function notAProvider(packageName: string): UnbrokenError {
  return new UnbrokenError('provider_bad_request', `The package ${packageName} is not an AI SDK provider.`);
}
