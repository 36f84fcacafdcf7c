/** Errors of the Anthropic SDK and API in our words. Source: Anthropic API reference, "Errors". */
import { APIConnectionError, APIError } from '@anthropic-ai/sdk';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { brokenTransport, toUnbrokenError } from '../http-errors.ts';

const bodySchema = z.object({ error: z.object({ type: z.string(), message: z.string() }) });

export function toError(error: unknown, isStreaming: boolean): UnbrokenError {
  if (error instanceof UnbrokenError) return error;
  const isConnection = error instanceof APIConnectionError;
  if (error instanceof APIError && !isConnection) {
    const body = bodySchema.safeParse(error.error);
    const { type, message } = body.success ? body.data.error : { type: '', message: error.message };
    return toUnbrokenError({
      status: error.status,
      kind: type,
      message,
      headers: error.headers,
      isStreaming,
    });
  }
  return brokenTransport(error, isStreaming);
}
