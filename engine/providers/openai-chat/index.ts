/** Chat completions: OpenAI's, and those of every vendor that speaks its format. A cut answer is continued when told to. */
import OpenAI from 'openai';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import { type ProviderSettings, resumeCapabilities } from '../provider-settings.ts';
import { streamCall } from '../stream-call.ts';
import { toError } from './errors.ts';
import { toRequest } from './request.ts';
import { toProviderEvents } from './stream.ts';

export function createOpenAiChat(settings: ProviderSettings): Provider {
  return {
    name: settings.name,
    capabilities: resumeCapabilities(settings),
    stream: (call) =>
      streamCall(
        call,
        settings,
        (link) => chatEvents(clientFor(settings, link), call, settings, link.signal),
        toError,
      ),
  };
}

/** What the SDK would take from the environment is not sent to other vendors. */
export function clientOptions({ apiKey, fetch }: Link) {
  return {
    apiKey,
    fetch,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: LIMITS.vendorCallMs,
    // Its errors are ours to report; its log could show the prompt.
    logLevel: 'off' as const,
  };
}

function clientFor({ baseUrl }: ProviderSettings, link: Link): OpenAI {
  return new OpenAI({ ...clientOptions(link), ...(baseUrl === undefined ? {} : { baseURL: baseUrl }) });
}

export async function* chatEvents(
  client: OpenAI,
  call: ProviderCall,
  { quirks }: ProviderSettings,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const headers = { 'Idempotency-Key': call.idempotencyKey };
  const stream = await client.chat.completions.create(toRequest(call, quirks), { signal, headers });
  yield { type: 'accepted' };
  yield* toProviderEvents(stream, 'deliveredText' in call.resume);
}
