/** Gemini by Google's own SDK. A cut answer is continued when the model is told to. */
import { LIMITS } from '../../contracts/limits.ts';
import type { Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import { type ProviderSettings, resumeCapabilities } from '../provider-settings.ts';
import { streamCall } from '../stream-call.ts';
import { toError } from './errors.ts';
import { toRequest } from './request.ts';
import { toProviderEvents } from './stream.ts';

export function createGoogle(settings: ProviderSettings): Provider {
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
  const { GoogleGenAI } = await import('@google/genai');
  const client = new GoogleGenAI({
    apiKey,
    vertexai: false,
    // Without `retryOptions` it does not try again.
    httpOptions: { fetch, timeout: LIMITS.generationMs, ...(baseUrl === undefined ? {} : { baseUrl }) },
  });
  const { model, contents, config } = toRequest(call);
  const stream = await client.models.generateContentStream({
    ...{ model, contents },
    config: { ...config, abortSignal: signal },
  });
  yield { type: 'accepted' };
  yield* toProviderEvents(stream, 'deliveredText' in call.resume);
}
