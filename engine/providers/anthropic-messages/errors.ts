/** Maps errors of the Anthropic SDK and API to ours. Source: Anthropic API reference, "Errors". */
import { APIConnectionError, APIError } from '@anthropic-ai/sdk';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { toUnbrokenError } from '../../vendor-errors/http-error.ts';
import { parseVendorError } from '../../vendor-errors/vendor-error.ts';
import { mapTransportError } from '../http-errors.ts';
import { type AnswerHead, hasStarted } from '../http-link.ts';

export function mapAnthropicError(error: unknown, head: AnswerHead | null): UnbrokenError {
  if (error instanceof APIError && !(error instanceof APIConnectionError)) {
    const body = parseVendorError(JSON.stringify(error.error ?? null));
    return toUnbrokenError({
      status: error.status ?? body.status,
      kind: body.kind,
      message: body.message || error.message,
      errorBody: head?.errorBody || JSON.stringify(error.error ?? null),
      headers: error.headers,
      isStreaming: hasStarted(head),
    });
  }
  return mapTransportError(error, head);
}
