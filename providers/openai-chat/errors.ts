/**
 * Errors of those that speak OpenAI's formats. The vendors' bodies differ: `{error: {message, type, code}}`,
 * `{error: 'text'}`, `{message}`, `{detail}`; the SDK gives what is under `error`, or nothing.
 */
import { APIConnectionError, APIError } from 'openai';
import type { UnbrokenError } from '../../contracts/errors.ts';
import { brokenTransport, toUnbrokenError } from '../http-errors.ts';
import { type AnswerHead, hasBegun } from '../http-link.ts';

export function toError(error: unknown, head: AnswerHead | null): UnbrokenError {
  if (!(error instanceof APIError) || error instanceof APIConnectionError)
    return brokenTransport(error, head);
  const { code, type, message, headers } = error;
  // In the middle of a stream there is no status; OpenRouter gives it as the code.
  const status = error.status ?? statusIn(code);
  return toUnbrokenError({
    status,
    kind: `${code ?? ''} ${type ?? ''}`,
    message,
    headers: headers ?? head?.headers,
    isStreaming: hasBegun(head),
  });
}

function statusIn(code: unknown): number | undefined {
  const status = Number(code);
  return status >= 400 && status < 600 ? status : undefined;
}
