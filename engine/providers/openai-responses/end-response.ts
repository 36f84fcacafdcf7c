/** How a response ended, from the object that its last event or a poll has. */
import type { Response } from 'openai/resources/responses/responses';
import type { Ending } from '../../../contracts/ending.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import type { FinishReason } from '../../../contracts/generation.ts';
import { toUnbrokenError } from '../../vendor-errors/http-error.ts';
import { parseErrorStatus } from '../../vendor-errors/vendor-error.ts';
import { isFilter } from '../answer-state.ts';
import type { ProviderEvent } from '../provider.ts';
import { refusalOfMessage } from './message-content.ts';
import type { ResponsePosition } from './position.ts';
import { mapOpenAiResponseUsage } from './usage.ts';

interface EndedAnswer {
  /** Whether an answer without content is complete. */
  readonly mayBeEmpty: boolean;
  /** The words with which the model declined, as far as they were streamed. */
  readonly refusal: string;
}

/** The last events of an ended response: its usage and its finish. Throws if it did not end well. */
export function* endResponse(
  response: Response,
  position: ResponsePosition,
  { mayBeEmpty, refusal: streamed }: EndedAnswer,
): Generator<ProviderEvent> {
  const usage = mapOpenAiResponseUsage(response.usage);
  if (usage !== null) yield { type: 'usage', usage };
  throwIfFailed(response, position);
  const refusal = refusalOf(response) || streamed;
  const reason = refusal === '' ? finishReasonOf(response, position) : 'refusal';
  const needsContent = reason === 'stop' && !mayBeEmpty;
  if (needsContent && !position.hasContent)
    throw new UnbrokenError('provider_empty', 'The provider ended without an answer.');
  yield { type: 'finish', reason, usage, ...vendorReasonOf(response), ...refusalField(refusal) };
}

function throwIfFailed({ status, error }: Response, { hasContent }: ResponsePosition): void {
  if (status === 'failed' && !(error == null && hasContent)) {
    throw inBandError(error?.code ?? 'server_error', error?.message ?? 'The response failed.');
  }
  if (status === 'cancelled') {
    throw new UnbrokenError('provider_response_lost', 'The response was cancelled at the provider.');
  }
}

/** An answer at its cap is complete without text: thoughts used up the cap, and would use it up again. */
function finishReasonOf(response: Response, { hasToolCalls }: ResponsePosition): FinishReason {
  // With content and without an error: servers of this format end so what their filter has cut.
  if (response.status === 'failed') return 'content-filter';
  if (response.status !== 'incomplete') return hasToolCalls ? 'tool-calls' : 'stop';
  return isFilter(response.incomplete_details?.reason ?? '') ? 'content-filter' : 'length';
}

const KNOWN_REASONS: ReadonlySet<string> = new Set(['max_output_tokens', 'content_filter']);

function vendorReasonOf({ incomplete_details, status }: Response): Ending {
  if (status === 'failed') return { vendorReason: status };
  const reason = incomplete_details?.reason;
  return reason === undefined || KNOWN_REASONS.has(reason) ? {} : { vendorReason: reason };
}

/** The whole response has it all: after a reattach, the stream began behind it. */
function refusalOf({ output }: Response): string {
  return (output ?? [])
    .map((item) => (item.type === 'message' ? refusalOfMessage(item) : ''))
    .filter(Boolean)
    .join('\n\n');
}

function refusalField(text: string): Ending {
  return text === '' ? {} : { refusal: { text } };
}

export function inBandError(kind: string, message: string): UnbrokenError {
  const status = parseErrorStatus(kind);
  return toUnbrokenError({ status, kind, message, headers: undefined, isStreaming: true });
}
