/**
 * Maps errors of OpenAI's SDK, also for the vendors that speak OpenAI's formats. Their bodies differ: `{error:
 * {message, type, code}}`, `{error: 'text'}`, `{message}`, `{detail}`. The SDK passes on the field `error` only.
 */
import { APIConnectionError, APIError } from 'openai';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { toUnbrokenError } from '../../vendor-errors/http-error.ts';
import { parseErrorStatus, parseVendorError } from '../../vendor-errors/vendor-error.ts';
import { mapTransportError } from '../http-errors.ts';
import { type AnswerHead, hasStarted } from '../http-link.ts';

export function mapOpenAiError(error: unknown, head: AnswerHead | null): UnbrokenError {
  if (!(error instanceof APIError) || error instanceof APIConnectionError)
    return mapTransportError(error, head);
  const { headers } = error;
  const own = parseVendorError(JSON.stringify(error.error ?? null));
  const inner = own.message === '' ? parseVendorError(JSON.stringify({ error: error.error ?? null })) : own;
  return toUnbrokenError({
    // In the middle of a stream there is no status; many vendors send it as the code.
    status: error.status ?? inner.status ?? parseErrorStatus(error.code),
    kind: inner.kind,
    // The SDK writes the status before the vendor's message.
    message: inner.message || error.message.replace(/^\d{3} /, ''),
    // In a stream, the error itself may have the wait.
    errorBody: head?.errorBody || JSON.stringify({ error: error.error ?? null }),
    headers: headers ?? head?.headers,
    isStreaming: hasStarted(head),
  });
}
