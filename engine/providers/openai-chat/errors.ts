/**
 * Errors of those that speak OpenAI's formats. The vendors' bodies differ: `{error: {message, type, code}}`,
 * `{error: 'text'}`, `{message}`, `{detail}`; the SDK gives what is under `error`, or nothing.
 */
import { APIConnectionError, APIError } from 'openai';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { brokenTransport, toUnbrokenError } from '../http-errors.ts';
import { type AnswerHead, hasBegun } from '../http-link.ts';
import { statusIn } from '../vendor-error.ts';

export function toError(error: unknown, head: AnswerHead | null): UnbrokenError {
  if (!(error instanceof APIError) || error instanceof APIConnectionError)
    return brokenTransport(error, head);
  const { code, type, headers } = error;
  // In the middle of a stream there is no status; OpenRouter gives it as the code.
  const status = error.status ?? statusIn(code);
  return toUnbrokenError({
    status,
    kind: `${code ?? ''} ${type ?? ''}`,
    // The SDK writes the status before the vendor's words.
    message: error.message.replace(/^\d{3} /, ''),
    errorBody: head?.errorBody,
    headers: headers ?? head?.headers,
    isStreaming: hasBegun(head),
  });
}
