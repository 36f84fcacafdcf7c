/** One call of any host of the Messages API, by its SDK's client. */
import type {
  MessageCreateParamsStreaming,
  RawMessageStreamEvent,
} from '@anthropic-ai/sdk/resources/messages';
import { dropRepeatedSpace } from '../continue-instruction.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import { toHeaders, toRequest } from './request.ts';
import { toProviderEvents } from './stream.ts';

export interface MessagesClient {
  readonly messages: {
    create(
      body: MessageCreateParamsStreaming,
      options: { signal: AbortSignal; headers: Record<string, string> },
    ): PromiseLike<AsyncIterable<RawMessageStreamEvent>>;
  };
}

export async function* messageEvents(
  client: MessagesClient,
  call: ProviderCall,
  signal: AbortSignal,
): AsyncGenerator<ProviderEvent> {
  const { resume } = call;
  const withoutRepeat = dropRepeatedSpace('deliveredText' in resume ? resume.deliveredText : '');
  const headers = toHeaders(call.input);
  const stream = await client.messages.create(toRequest(call), { signal, headers });
  yield { type: 'accepted' };
  for await (const event of toProviderEvents(stream, 'deliveredText' in resume)) {
    if (event.type !== 'text') {
      yield event;
      continue;
    }
    const text = withoutRepeat(event.text);
    if (text !== '') yield { type: 'text', text };
  }
}
