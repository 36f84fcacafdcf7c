/** Maps errors of the Anthropic SDK and API to ours. Source: Anthropic API reference, "Errors". */
import { APIConnectionError, APIError } from '@anthropic-ai/sdk';
import { z } from 'zod';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { mapTransportError, toUnbrokenError } from '../http-errors.ts';
import { type AnswerHead, hasStarted } from '../http-link.ts';

const bodySchema = z.object({ error: z.object({ type: z.string(), message: z.string() }) });

export function mapAnthropicError(error: unknown, head: AnswerHead | null): UnbrokenError {
  if (error instanceof APIError && !(error instanceof APIConnectionError)) {
    const body = bodySchema.safeParse(error.error);
    const { type, message } = body.success ? body.data.error : { type: '', message: error.message };
    return toUnbrokenError({
      status: error.status,
      kind: type,
      message,
      errorBody: head?.errorBody,
      headers: error.headers,
      isStreaming: hasStarted(head),
    });
  }
  return mapTransportError(error, head);
}
