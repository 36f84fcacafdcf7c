/** Azure OpenAI: chat completions by OpenAI's own SDK; the model of a candidate is the name of the deployment. */
import { AzureOpenAI } from 'openai';
import { toError } from '../openai-chat/errors.ts';
import { chatEvents, clientOptions } from '../openai-chat/index.ts';
import type { Provider } from '../provider.ts';
import { type ProviderSettings, resumeCapabilities } from '../provider-settings.ts';
import { streamCall } from '../stream-call.ts';

/** The latest version that is no preview. */
const API_VERSION = '2024-10-21';

export function createAzureOpenAi(settings: ProviderSettings): Provider {
  return {
    name: settings.name,
    capabilities: resumeCapabilities(settings),
    stream: (call) =>
      streamCall(
        call,
        settings,
        (link) => {
          const client = new AzureOpenAI({
            ...clientOptions(link),
            endpoint: settings.baseUrl,
            apiVersion: settings.apiVersion ?? API_VERSION,
            deployment: call.model,
          });
          return chatEvents(client, call, settings, link.signal);
        },
        toError,
      ),
  };
}
