/** Gemini by Google's own SDK. An interrupted answer continues by instruction. */
import { createAdapter } from '../adapter.ts';
import { badRequestWords } from '../http-errors.ts';
import type { Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import { NO_KEY, type ProviderSettings } from '../provider-settings.ts';
import { mapGoogleError } from './errors.ts';
import { withPlainEvents } from './plain-events.ts';
import { refusesSchema, withoutBounds } from './refused-schemas.ts';
import { buildGoogleRequest, withoutSignatures } from './request.ts';
import { mapGoogleStream } from './stream.ts';

/** A worker without a key for it does not load it. */
const loadSdk = () => import('@google/genai');

export function createGoogle(settings: ProviderSettings): Provider {
  if (settings.apiKey !== NO_KEY) void loadSdk();
  return createAdapter(settings, {
    stream: (call, link) => streamGoogle(call, settings, link),
    mapError: mapGoogleError,
  });
}

/** A base URL may end with the version, which the SDK adds by itself. */
function addressOf(
  baseUrl: string | undefined,
  apiVersion: string | undefined,
): { readonly baseUrl?: string; readonly apiVersion?: string } {
  const [, host = baseUrl, inUrl] = /^(.*?)\/(v\d[a-z]*\d*)\/?$/.exec(baseUrl ?? '') ?? [];
  const version = apiVersion ?? inUrl;
  return {
    ...(host === undefined ? {} : { baseUrl: host }),
    ...(version === undefined ? {} : { apiVersion: version }),
  };
}

/** "Thought signature is not valid", "Corrupted thought signature". A missing one is another fault. */
function refusesSignature(error: unknown): boolean {
  return /thought signature/i.test(badRequestWords(error) ?? '');
}

async function* streamGoogle(
  call: ProviderCall,
  { baseUrl, apiVersion }: ProviderSettings,
  { apiKey, fetch, signal }: Link,
): AsyncGenerator<ProviderEvent> {
  const { GoogleGenAI } = await loadSdk();
  const client = new GoogleGenAI({
    apiKey,
    vertexai: false,
    // Without `retryOptions` it does not retry; a `timeout` would leave a timer behind for each call.
    httpOptions: {
      fetch: withPlainEvents(fetch),
      ...addressOf(baseUrl, apiVersion),
    },
  });
  const send = ({ model, contents, config }: ReturnType<typeof buildGoogleRequest>) =>
    client.models.generateContentStream({ model, contents, config: { ...config, abortSignal: signal } });
  const request = buildGoogleRequest(call);
  const stream = await send(request).catch((error: unknown) => {
    const fitted =
      (refusesSignature(error) ? withoutSignatures(request) : null) ??
      (refusesSchema(error) ? withoutBounds(request) : null);
    if (fitted === null) throw error;
    return send(fitted);
  });
  yield { type: 'accepted' };
  yield* mapGoogleStream(stream, call);
}
