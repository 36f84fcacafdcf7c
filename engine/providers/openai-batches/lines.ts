/** The lines of a batch, in the words of the two formats of OpenAI, and their answers. */
import type { WireFamily } from '../../../platform/config/schema.ts';
import { asWholeCall } from '../batch-adapter.ts';
import type { FittedCall } from '../fit-call.ts';
import { buildOpenAiChatRequest } from '../openai-chat/request.ts';
import { mapChatCompletion } from '../openai-chat/whole-answer.ts';
import { buildOpenAiResponseRequest } from '../openai-responses/request.ts';
import { mapOpenAiResponse } from '../openai-responses/whole-answer.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import type { BatchedCall, EncodedLine } from '../provider-batches.ts';
import type { ProviderSettings } from '../provider-settings.ts';

export interface OpenAiEncoding {
  /** null: the call can only be made live, which also says why if it can not. */
  readonly fit: (call: ProviderCall) => FittedCall<ProviderCall> | null;
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
  { lineId, index, call }: { readonly lineId: string; readonly index: number; readonly call: BatchedCall },
): EncodedLine | null {
  const fitted = encoding.fit(asWholeCall(call));
  const url = fitted === null ? undefined : ENDPOINTS[fitted.wire];
  if (fitted === null || url === undefined) return null;
  const line = { custom_id: lineId, method: 'POST', url, body: bodyOf(encoding, fitted) };
  return { index, group: `${url} ${call.model}`, text: JSON.stringify(line) };
}

function bodyOf({ reasons, quirks }: OpenAiEncoding, { call, wire }: FittedCall<ProviderCall>): object {
  if (wire === 'openai-chat') {
    const { stream: _stream, stream_options: _options, ...body } = buildOpenAiChatRequest(call, quirks);
    return body;
  }
  const mode = { isBackground: false, reasons: reasons(call.model) };
  const { stream: _stream, ...body } = buildOpenAiResponseRequest(call, mode);
  return body;
}

export function openAiAnswer(
  encoding: OpenAiEncoding,
  batched: BatchedCall,
  body: unknown,
): AsyncIterable<ProviderEvent> {
  const call = asWholeCall(batched);
  const fitted = encoding.fit(call);
  const isChat = fitted?.wire === 'openai-chat';
  const sent = fitted?.call ?? call;
  const events = isChat ? mapChatCompletion(body, sent, encoding.quirks) : mapOpenAiResponse(body, sent);
  return fitted?.named(events) ?? events;
}
