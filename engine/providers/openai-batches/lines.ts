/** The lines of a batch, in the words of the two formats of OpenAI, and their answers. */
import type { WireFamily } from '../../../platform/config/schema.ts';
import type { SentCall } from '../batch-adapter.ts';
import type { FittedCall } from '../fit-call.ts';
import { buildOpenAiChatRequest } from '../openai-chat/request.ts';
import { mapChatCompletion } from '../openai-chat/whole-answer.ts';
import { buildOpenAiResponseRequest } from '../openai-responses/request.ts';
import { mapOpenAiResponse } from '../openai-responses/whole-answer.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import type { EncodedLine } from '../provider-batches.ts';
import type { ProviderSettings } from '../provider-settings.ts';

export interface OpenAiEncoding {
  readonly reasons: (model: string) => boolean;
  /** Of its chat completions. */
  readonly quirks: ProviderSettings['quirks'];
}

const ENDPOINTS: Partial<Record<WireFamily, string>> = {
  'openai-chat': '/v1/chat/completions',
  'openai-responses': '/v1/responses',
};

export function encodeOpenAiCall(
  encoding: OpenAiEncoding,
  fitted: Pick<FittedCall<ProviderCall>, 'call' | 'wire'>,
  { lineId, index }: { readonly lineId: string; readonly index: number },
): EncodedLine | null {
  const url = ENDPOINTS[fitted.wire];
  if (url === undefined) return null;
  const line = { custom_id: lineId, method: 'POST', url, body: bodyOf(encoding, fitted) };
  return { index, group: `${url} ${fitted.call.model}`, text: JSON.stringify(line) };
}

function bodyOf(
  { reasons, quirks }: OpenAiEncoding,
  { call, wire }: Pick<FittedCall<ProviderCall>, 'call' | 'wire'>,
): object {
  if (wire === 'openai-chat') {
    const { stream: _stream, stream_options: _options, ...body } = buildOpenAiChatRequest(call, quirks);
    return body;
  }
  const mode = { isBackground: false, reasons: reasons(call.model) };
  const { stream: _stream, ...body } = buildOpenAiResponseRequest(call, mode);
  return body;
}

export function openAiAnswer(
  { quirks }: Pick<OpenAiEncoding, 'quirks'>,
  body: unknown,
  { call, wire }: SentCall,
): AsyncIterable<ProviderEvent> {
  return wire === 'openai-chat' ? mapChatCompletion(body, call, quirks) : mapOpenAiResponse(body, call);
}
