/**
 * Maps errors of OpenAI's SDK, also for the vendors that speak OpenAI's formats. Their bodies differ: `{error:
 * {message, type, code}}`, `{error: 'text'}`, `{message}`, `{detail}`. The SDK passes on the field `error` only.
 */
import { APIConnectionError, APIError } from 'openai';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { mapTransportError, toUnbrokenError } from '../http-errors.ts';
import { type AnswerHead, hasStarted } from '../http-link.ts';
import { parseErrorStatus } from '../vendor-error.ts';

export function mapOpenAiError(error: unknown, head: AnswerHead | null): UnbrokenError {
  if (!(error instanceof APIError) || error instanceof APIConnectionError)
    return mapTransportError(error, head);
  const { code, type, headers } = error;
  // In the middle of a stream there is no status; OpenRouter sends it as the code.
  const status = error.status ?? parseErrorStatus(code);
  return toUnbrokenError({
    status,
    kind: `${code ?? ''} ${type ?? ''}`,
    // The SDK writes the status before the vendor's message.
    message: error.message.replace(/^\d{3} /, ''),
    errorBody: head?.errorBody,
    headers: headers ?? head?.headers,
    isStreaming: hasStarted(head),
  });
}
