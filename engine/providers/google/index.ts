/** Gemini by Google's own SDK. A cut answer is continued when the model is told to. */
import type { Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import { NO_KEY, type ProviderSettings, resumeCapabilities } from '../provider-settings.ts';
import { streamCall } from '../stream-call.ts';
import { toError } from './errors.ts';
import { toRequest } from './request.ts';
import { toProviderEvents } from './stream.ts';

/** Not loaded by a worker that has no key for it. */
const loadSdk = () => import('@google/genai');

export function createGoogle(settings: ProviderSettings): Provider {
  if (settings.apiKey !== NO_KEY) void loadSdk();
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
  const { GoogleGenAI } = await loadSdk();
  const client = new GoogleGenAI({
    apiKey,
    vertexai: false,
    // Without `retryOptions` it does not try again; a `timeout` would leave a timer behind for each call.
    httpOptions: { fetch, ...(baseUrl === undefined ? {} : { baseUrl }) },
  });
  const { model, contents, config } = toRequest(call);
  const stream = await client.models.generateContentStream({
    model,
    contents,
    config: { ...config, abortSignal: signal },
  });
  yield { type: 'accepted' };
  yield* toProviderEvents(stream, 'deliveredText' in call.resume);
}
