/**
 * Anthropic's Messages API. An interrupted answer continues by prefill (models up to 4.5) or by instruction (from 4.6).
 */
import Anthropic from '@anthropic-ai/sdk';
import { createAdapter } from '../adapter.ts';
import { clientOptions } from '../client-options.ts';
import type { Provider } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { anthropicBaseUrl } from './base-url.ts';
import { mapAnthropicError } from './errors.ts';
import { readAnthropicEvents } from './events.ts';
import { type MessagesRequest, streamAnthropicMessage } from './stream.ts';

export function createAnthropicMessages(settings: ProviderSettings): Provider {
  return createAdapter(settings, {
    takesStreams: true,
    stream(call, link) {
      const client = new Anthropic(clientOptions(link, anthropicBaseUrl(settings.baseUrl)));
      const send = async (request: MessagesRequest) =>
        readAnthropicEvents(await client.post('/v1/messages', { ...request }).asResponse(), link);
      return streamAnthropicMessage(send, call, link.signal);
    },
    mapError: mapAnthropicError,
  });
}
