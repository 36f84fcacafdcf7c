/** Cohere's chat by its own SDK. A cut answer is continued when the model is told to. */
import type { Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import { NO_KEY, type ProviderSettings, resumeCapabilities } from '../provider-settings.ts';
import { streamCall } from '../stream-call.ts';
import { toError } from './errors.ts';
import { toRequest } from './request.ts';
import { type CohereEvent, toProviderEvents } from './stream.ts';

/** Not loaded by a worker that has no key for it. */
const loadSdk = () => import('cohere-ai');

export function createCohere(settings: ProviderSettings): Provider {
  if (settings.apiKey !== NO_KEY) void loadSdk();
  return {
    name: settings.name,
    capabilities: resumeCapabilities(settings),
    stream: (call) => streamCall(call, settings, (link) => events(call, settings, link), toError),
  };
}

async function* events(
  call: ProviderCall,
  { baseUrl, firstTokenMs, thinkingMs }: ProviderSettings,
  { apiKey, fetch, signal }: Link,
): AsyncGenerator<ProviderEvent> {
  const { CohereClientV2 } = await loadSdk();
  // Of a call that fails the SDK leaves this timer behind, so it is no longer than it must be.
  const timeoutInSeconds = Math.ceil(Math.max(firstTokenMs, thinkingMs) / 1_000);
  const client = new CohereClientV2({
    token: apiKey,
    fetch,
    maxRetries: 0,
    timeoutInSeconds,
    ...(baseUrl === undefined ? {} : { baseUrl }),
  });
  const stream = await client.chatStream(toRequest(call), { abortSignal: signal });
  yield { type: 'accepted' };
  // The SDK ends a stream at any line that holds this word, also where the model says it. The API does not send it.
  Object.assign(stream, { streamTerminator: undefined });
  // Of its many kinds of events those are read that `CohereEvent` has.
  yield* toProviderEvents(stream as unknown as AsyncIterable<CohereEvent>, 'deliveredText' in call.resume);
}
