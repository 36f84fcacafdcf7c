/** The requests of a message batch, and their answers. */
import { buildAnthropicHeaders, buildAnthropicRequest } from '../anthropic-messages/request.ts';
import { mapAnthropicMessage } from '../anthropic-messages/whole-answer.ts';
import { asWholeCall } from '../batch-adapter.ts';
import type { FittedCall } from '../fit-call.ts';
import type { ProviderCall, ProviderEvent } from '../provider.ts';
import type { BatchedCall, EncodedLine } from '../provider-batches.ts';

export interface AnthropicEncoding {
  /** null: the call can only be made live, which also says why if it can not. */
  readonly fit: (call: ProviderCall) => FittedCall<ProviderCall> | null;
}

/** One batch has one version of the API and one set of betas: they are headers of its request. */
export function encodeAnthropicCall(
  encoding: AnthropicEncoding,
  { lineId, index, call }: { readonly lineId: string; readonly index: number; readonly call: BatchedCall },
): EncodedLine | null {
  const fitted = encoding.fit(asWholeCall(call));
  if (fitted === null) return null;
  const { stream: _stream, ...params } = buildAnthropicRequest(fitted.call);
  const group = JSON.stringify(buildAnthropicHeaders(fitted.call.input));
  return { index, group, text: JSON.stringify({ custom_id: lineId, params }) };
}

export function headersOfGroup(group: string): Record<string, string> {
  return group === '' ? {} : (JSON.parse(group) as Record<string, string>);
}

export function anthropicAnswer(
  encoding: AnthropicEncoding,
  batched: BatchedCall,
  body: unknown,
): AsyncIterable<ProviderEvent> {
  const call = asWholeCall(batched);
  const fitted = encoding.fit(call);
  const events = mapAnthropicMessage(body, fitted?.call ?? call);
  return fitted?.named(events) ?? events;
}
