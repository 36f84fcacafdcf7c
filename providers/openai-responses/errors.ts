/** Errors of the OpenAI SDK and API in our words. Source: OpenAI's "Error codes" guide. */
import { APIConnectionError, APIError } from 'openai';
import type { UnbrokenError } from '../../contracts/errors.ts';
import { brokenTransport, toUnbrokenError } from '../http-errors.ts';
import { type AnswerHead, hasBegun } from '../http-link.ts';

export function toError(error: unknown, head: AnswerHead | null): UnbrokenError {
  if (error instanceof APIError && !(error instanceof APIConnectionError)) {
    const { status, message, headers } = error;
    return toUnbrokenError({
      status,
      kind: `${error.code ?? ''} ${error.type ?? ''}`,
      message,
      headers,
      isStreaming: hasBegun(head),
    });
  }
  return brokenTransport(error, head);
}
