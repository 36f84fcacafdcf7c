/** Cohere's chat by its own SDK. A cut answer is continued when the model is told to. */
import { LIMITS } from '../../contracts/limits.ts';
import type { Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import { type ProviderSettings, resumeCapabilities } from '../provider-settings.ts';
import { streamCall } from '../stream-call.ts';
import { toError } from './errors.ts';
import { toRequest } from './request.ts';
import { type CohereEvent, toProviderEvents } from './stream.ts';

export function createCohere(settings: ProviderSettings): Provider {
  return {
    name: settings.name,
    capabilities: resumeCapabilities(settings),
    stream: (call) => streamCall(call, settings, (link) => events(call, settings, link), toError),
  };
}

async function* events(
  call: ProviderCall,
  { baseUrl }: ProviderSettings,
  { apiKey, fetch, signal }: Link,
): AsyncGenerator<ProviderEvent> {
  // Loaded by whoever uses it: a worker without a key for it starts without it.
  const { CohereClientV2 } = await import('cohere-ai');
  const client = new CohereClientV2({
    ...{ token: apiKey, fetch, maxRetries: 0, timeoutInSeconds: LIMITS.generationMs / 1_000 },
    ...(baseUrl === undefined ? {} : { baseUrl }),
  });
  const stream = await client.chatStream(toRequest(call), { abortSignal: signal });
  yield { type: 'accepted' };
  // Of its many kinds of events those are read that `CohereEvent` has.
  yield* toProviderEvents(stream as unknown as AsyncIterable<CohereEvent>, 'deliveredText' in call.resume);
}
