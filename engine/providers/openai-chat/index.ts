/**
 * Chat completions: OpenAI's, and those of every vendor that speaks its format. An interrupted answer continues by
 * instruction, or by prefill where the vendor has it.
 */
import OpenAI from 'openai';
import { createAdapter } from '../adapter.ts';
import { clientOptions, NO_ENVIRONMENT } from '../client-options.ts';
import type { Provider, ProviderCall } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';
import { withStandardTier } from '../standard-tier.ts';
import { mapOpenAiError } from './errors.ts';
import { isPrefilled } from './request.ts';
import { streamOpenAiChat } from './stream.ts';

export function createOpenAiChat(settings: ProviderSettings): Provider {
  return createAdapter(settings, {
    takesStreams: true,
    stream(call, link) {
      const client = new OpenAI({ ...clientOptions(link, baseUrlFor(call, settings)), ...NO_ENVIRONMENT });
      const priced = withStandardTier(call, 'openai-chat', settings.baseUrl);
      return streamOpenAiChat(client, priced, settings.quirks, link);
    },
    mapError: mapOpenAiError,
  });
}

/** DeepSeek takes a prefill at its beta address only ("Chat Prefix Completion (Beta)"). */
function baseUrlFor(call: ProviderCall, { baseUrl, quirks }: ProviderSettings): string | undefined {
  if (quirks?.prefill !== 'beta-prefix' || baseUrl === undefined || !isPrefilled(call)) return baseUrl;
  return `${baseUrl.replace(/\/(?:v1\/?)?$/, '')}/beta`;
}
