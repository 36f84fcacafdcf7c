/** Azure OpenAI: chat completions by OpenAI's own SDK. The model of a candidate is the name of the deployment. */
import { AzureOpenAI } from 'openai';
import { createAdapter } from '../adapter.ts';
import { clientOptions, NO_ENVIRONMENT } from '../client-options.ts';
import { mapOpenAiError } from '../openai-chat/errors.ts';
import { streamOpenAiChat } from '../openai-chat/stream.ts';
import type { Provider } from '../provider.ts';
import type { ProviderSettings } from '../provider-settings.ts';

/** The latest version that is not a preview. */
const API_VERSION = '2024-10-21';

export function createAzureOpenAi(settings: ProviderSettings): Provider {
  return createAdapter(settings, {
    takesStreams: true,
    stream(call, link) {
      const client = new AzureOpenAI({
        ...clientOptions(link),
        ...NO_ENVIRONMENT,
        endpoint: settings.baseUrl,
        apiVersion: settings.apiVersion ?? API_VERSION,
        deployment: call.model,
      });
      return streamOpenAiChat(client, call, { vendorRules: true, ...settings.quirks }, link);
    },
    mapError: mapOpenAiError,
  });
}
