/** Any provider package of the AI SDK (`@ai-sdk/provider`, V3 or V4), by the name of its npm package. */
import type { LanguageModelV3, LanguageModelV4 } from '@ai-sdk/provider';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { assertInstalled, loadInstalled } from '../../../platform/optional-package.ts';
import type { Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import { type ProviderSettings, resumeCapabilities } from '../provider-settings.ts';
import { streamCall } from '../stream-call.ts';
import { toError } from './errors.ts';
import { toRequest } from './request.ts';
import { toProviderEvents } from './stream.ts';

type Model = LanguageModelV3 | LanguageModelV4 | { readonly specificationVersion: 'v2' };
type CreateProvider = (
  settings: object,
) => { readonly languageModel?: (modelId: string) => Model } | undefined;

export function createAiSdk(settings: ProviderSettings): Provider {
  const name = settings.package ?? '';
  assertInstalled(settings.name, name);
  return {
    name: settings.name,
    capabilities: resumeCapabilities(settings),
    stream: (call) => streamCall(call, settings, (link) => events(call, settings, name, link), toError),
  };
}

async function* events(
  call: ProviderCall,
  { name, baseUrl }: ProviderSettings,
  packageName: string,
  { apiKey, fetch, signal }: Link,
): AsyncGenerator<ProviderEvent> {
  const made = factoryOf(
    await loadInstalled(packageName),
    packageName,
  )({
    name,
    apiKey,
    fetch,
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl }),
  });
  if (typeof made?.languageModel !== 'function') throw noProvider(packageName);
  const model = made.languageModel(call.model);
  const { specificationVersion: version } = model;
  if (version !== 'v3' && version !== 'v4') {
    const message = `${packageName} has the interface ${version}; v3 and v4 are known here. Install a newer one.`;
    throw new UnbrokenError('provider_bad_request', message);
  }
  const request = toRequest(call, signal, version === 'v3');
  // The two versions differ in what they add; what is asked for here is in both.
  const { stream } = await (model as LanguageModelV4).doStream(request);
  yield { type: 'accepted' };
  yield* toProviderEvents(stream, 'deliveredText' in call.resume);
}

/** `createGroq` of `@ai-sdk/groq`: the factory that bears the package's name, else the only one. */
function factoryOf(module: Record<string, unknown>, packageName: string): CreateProvider {
  const factories = Object.entries(module).filter(
    ([name, value]) => name.startsWith('create') && typeof value === 'function',
  );
  const plain = packageName.replaceAll(/[^a-z]/g, '');
  const named = factories.find(([name]) => plain.includes(name.slice('create'.length).toLowerCase()));
  const factory = (named ?? factories[0])?.[1];
  if (factory === undefined) throw noProvider(packageName);
  return factory as CreateProvider;
}

function noProvider(packageName: string): UnbrokenError {
  return new UnbrokenError('provider_bad_request', `The package ${packageName} is no AI SDK provider.`);
}
