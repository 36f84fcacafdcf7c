/** Claude on Amazon Bedrock by Anthropic's own SDK, which only its users install. A key, or else AWS credentials. */
import { LIMITS } from '../../../contracts/limits.ts';
import { assertInstalled, loadInstalled } from '../../../platform/optional-package.ts';
import { toError } from '../anthropic-messages/errors.ts';
import { type MessagesClient, messageEvents } from '../anthropic-messages/message-events.ts';
import type { Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import { NO_KEY, type ProviderSettings, resumeCapabilities } from '../provider-settings.ts';
import { streamCall } from '../stream-call.ts';

const PACKAGE = '@anthropic-ai/bedrock-sdk';

interface BedrockSdk {
  readonly AnthropicBedrock: new (options: object) => MessagesClient;
}

export function createBedrock(settings: ProviderSettings): Provider {
  assertInstalled(settings.name, PACKAGE);
  return {
    name: settings.name,
    capabilities: resumeCapabilities(settings),
    stream: (call) => streamCall(call, settings, (link) => events(call, settings, link), toError),
  };
}

async function* events(
  call: ProviderCall,
  { baseUrl, region }: ProviderSettings,
  { apiKey, fetch, signal }: Link,
): AsyncGenerator<ProviderEvent> {
  const { AnthropicBedrock } = await loadInstalled<BedrockSdk>(PACKAGE);
  const client = new AnthropicBedrock({
    fetch,
    maxRetries: 0,
    logLevel: 'off' as const,
    timeout: LIMITS.vendorCallMs,
    apiKey: apiKey === NO_KEY ? null : apiKey,
    ...(region === undefined ? {} : { awsRegion: region }),
    ...(baseUrl === undefined ? {} : { baseURL: baseUrl }),
  });
  yield* messageEvents(client, call, signal);
}
