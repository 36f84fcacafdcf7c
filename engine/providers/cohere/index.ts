/** Cohere's chat by its own SDK. An interrupted answer continues by instruction. */
import { createAdapter } from '../adapter.ts';
import type { Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import { NO_KEY, type ProviderSettings } from '../provider-settings.ts';
import { mapCohereError } from './errors.ts';
import { buildCohereRequest } from './request.ts';
import { type CohereEvent, mapCohereStream } from './stream.ts';

/** A worker without a key for it does not load it. */
const loadSdk = () => import('cohere-ai');

export function createCohere(settings: ProviderSettings): Provider {
  if (settings.apiKey !== NO_KEY) void loadSdk();
  return createAdapter(settings, {
    stream: (call, link) => streamCohere(call, settings, link),
    mapError: mapCohereError,
  });
}

async function* streamCohere(
  call: ProviderCall,
  { baseUrl, firstTokenMs, thinkingMs }: ProviderSettings,
  { apiKey, fetch, signal }: Link,
): AsyncGenerator<ProviderEvent> {
  const { CohereClientV2 } = await loadSdk();
  // The SDK leaves this timer behind when a call fails, so it is as short as possible.
  const timeoutInSeconds = Math.ceil(Math.max(firstTokenMs, thinkingMs) / 1_000);
  const client = new CohereClientV2({
    token: apiKey,
    fetch,
    maxRetries: 0,
    timeoutInSeconds,
    ...(baseUrl === undefined ? {} : { baseUrl }),
  });
  const stream = await client.chatStream(buildCohereRequest(call), { abortSignal: signal });
  yield { type: 'accepted' };
  // The SDK ends a stream at any line that contains this word, even if the model wrote it. The API does not send it.
  Object.assign(stream, { streamTerminator: undefined });
  // `CohereEvent` has the fields that are read, of all kinds of events.
  const events = stream as unknown as AsyncIterable<CohereEvent>;
  yield* mapCohereStream(events, call);
}
