/** One call of any host of the Messages API, by its SDK's client. */
import type {
  MessageCreateParamsStreaming,
  RawMessageStreamEvent,
} from '@anthropic-ai/sdk/resources/messages';
import { dropRepeatedSpace } from '../continue-instruction.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { toHeaders, toRequest } from './request.ts';
import { toProviderEvents } from './stream.ts';

/**
 * The request below `messages.create` of the SDK's clients: that one writes to the console which models are old, and
 * would put prompts into traces where those are on.
 */
export interface MessagesClient {
  post(
    path: '/v1/messages',
    options: {
      body: MessageCreateParamsStreaming;
      stream: true;
      signal: AbortSignal;
      headers: Record<string, string>;
    },
  ): PromiseLike<unknown>;
}

export async function* messageEvents(
  client: MessagesClient,
  call: ProviderCall,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const { resume } = call;
  const withoutRepeat = dropRepeatedSpace('deliveredText' in resume ? resume.deliveredText : '');
  const headers = toHeaders(call.input);
  const body = toRequest(call);
  const stream = await client.post('/v1/messages', { body, stream: true, signal, headers });
  yield { type: 'accepted' };
  const events = stream as AsyncIterable<RawMessageStreamEvent>;
  for await (const event of toProviderEvents(events, 'deliveredText' in resume)) {
    if (event.type !== 'text') {
      yield event;
      continue;
    }
    const text = withoutRepeat(event.text);
    if (text !== '') yield { type: 'text', text };
  }
}
