/** Anthropic's Messages API: a cut answer is continued by prefill (models up to 4.5) or by instruction (from 4.6). */
import Anthropic from '@anthropic-ai/sdk';
import { LIMITS } from '../../../contracts/limits.ts';
import type { Link } from '../http-link.ts';
import type { Provider } from '../provider.ts';
import { type ProviderSettings, resumeCapabilities } from '../provider-settings.ts';
import { streamCall } from '../stream-call.ts';
import { toError } from './errors.ts';
import { messageEvents } from './message-events.ts';

export function createAnthropicMessages(settings: ProviderSettings): Provider {
  return {
    name: settings.name,
    capabilities: resumeCapabilities(settings),
    stream: (call) =>
      streamCall(
        call,
        settings,
        (link) => messageEvents(clientFor(settings, link), call, link.signal),
        toError,
      ),
  };
}

function clientFor({ baseUrl }: ProviderSettings, { apiKey, fetch }: Link): Anthropic {
  return new Anthropic({
    apiKey,
    fetch,
    maxRetries: 0,
    // Its errors are ours to report; its log could show the prompt.
    logLevel: 'off',
    timeout: LIMITS.vendorCallMs,
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl }),
  });
}
