/** Errors of the OpenAI SDK and API in our words. Source: OpenAI's "Error codes" guide. */
import { APIConnectionError, APIError } from 'openai';
import { UnbrokenError } from '../../contracts/errors.ts';
import { brokenTransport, toUnbrokenError } from '../http-errors.ts';

export function toError(error: unknown, isStreaming: boolean): UnbrokenError {
  if (error instanceof UnbrokenError) return error;
  const isConnection = error instanceof APIConnectionError;
  if (error instanceof APIError && !isConnection) {
    const { status, message, headers } = error;
    return toUnbrokenError({
      status,
      kind: `${error.code ?? ''} ${error.type ?? ''}`,
      message,
      headers,
      isStreaming,
    });
  }
  return brokenTransport(error, isStreaming);
}
