/** The requests of a message batch. */
import { buildAnthropicHeaders, buildAnthropicRequest } from '../anthropic-messages/request.ts';
import type { FittedCall } from '../fit-call.ts';
import type { ProviderCall } from '../provider.ts';
import type { EncodedLine } from '../provider-batches.ts';

/** One batch has one version of the API and one set of betas: they are headers of its request. */
export function encodeAnthropicCall(
  { call }: Pick<FittedCall<ProviderCall>, 'call'>,
  { lineId, index }: { readonly lineId: string; readonly index: number },
): EncodedLine {
  const { stream: _stream, ...params } = buildAnthropicRequest(call);
  const group = JSON.stringify(buildAnthropicHeaders(call.input));
  return { index, group, text: JSON.stringify({ custom_id: lineId, params }) };
}

export function headersOfGroup(group: string): Record<string, string> {
  return group === '' ? {} : (JSON.parse(group) as Record<string, string>);
}
