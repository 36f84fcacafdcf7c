/**
 * Chat completions: OpenAI's, and those of every vendor that speaks its format. An interrupted answer continues by
 * instruction.
 */
import OpenAI from 'openai';
import { createAdapter } from '../adapter.ts';
import { clientOptions, NO_ENVIRONMENT } from '../client-options.ts';
import type { Provider } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { mapOpenAiError } from './errors.ts';
import { streamOpenAiChat } from './stream.ts';

export function createOpenAiChat(settings: ProviderSettings): Provider {
  return createAdapter(settings, {
    stream(call, link) {
      const client = new OpenAI({ ...clientOptions(link, settings.baseUrl), ...NO_ENVIRONMENT });
      return streamOpenAiChat(client, call, settings.quirks, link.signal);
    },
    mapError: mapOpenAiError,
  });
}
