/**
 * Anthropic's Messages API. An interrupted answer continues by prefill (models up to 4.5) or by instruction (from 4.6).
 */
import Anthropic from '@anthropic-ai/sdk';
import { createAdapter } from '../adapter.ts';
import { clientOptions } from '../client-options.ts';
import type { Provider } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { mapAnthropicError } from './errors.ts';
import { streamAnthropicMessage } from './stream.ts';

export function createAnthropicMessages(settings: ProviderSettings): Provider {
  return createAdapter(settings, {
    stream: (call, link) =>
      streamAnthropicMessage(new Anthropic(clientOptions(link, settings.baseUrl)), call, link.signal),
    mapError: mapAnthropicError,
  });
}
