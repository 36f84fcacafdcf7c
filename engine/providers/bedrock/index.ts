/** Claude on Amazon Bedrock by Anthropic's own SDK, an optional package. Uses a key, or else AWS credentials. */
import { assertInstalled, loadInstalled } from '../../../platform/optional-package.ts';
import { createAdapter } from '../adapter.ts';
import { withMarkAtEnd } from '../anthropic-messages/cache-breakpoints.ts';
import { mapAnthropicError } from '../anthropic-messages/errors.ts';
import {
  type MessagesRequest,
  type SendMessages,
  streamAnthropicMessage,
} from '../anthropic-messages/stream.ts';
import { clientOptions } from '../client-options.ts';
import type { Link } from '../http-link.ts';
import type { Provider, ProviderCall, ProviderEvent } from '../provider.ts';
import { NO_KEY, type ProviderSettings } from '../provider-settings.ts';

const PACKAGE = '@anthropic-ai/bedrock-sdk';

interface BedrockSdk {
  readonly AnthropicBedrock: new (
    options: object,
  ) => { post(path: string, request: MessagesRequest): ReturnType<SendMessages> };
}

export function createBedrock(settings: ProviderSettings): Provider {
  assertInstalled(settings.name, PACKAGE);
  return createAdapter(settings, {
    stream: (call, link) => streamBedrock(call, settings, link),
    mapError: mapAnthropicError,
  });
}

async function* streamBedrock(
  call: ProviderCall,
  { baseUrl, region }: ProviderSettings,
  link: Link,
): AsyncGenerator<ProviderEvent> {
  const { AnthropicBedrock } = await loadInstalled<BedrockSdk>(PACKAGE);
  const client = new AnthropicBedrock({
    ...clientOptions(link, baseUrl),
    apiKey: link.apiKey === NO_KEY ? null : link.apiKey,
    ...(region === undefined ? {} : { awsRegion: region }),
  });
  const send = (request: MessagesRequest) =>
    client.post('/v1/messages', { ...request, body: withMarkAtEnd(request.body) });
  yield* streamAnthropicMessage(send, call, link.signal);
}
