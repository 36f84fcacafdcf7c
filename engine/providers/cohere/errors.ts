/** Maps errors of the Cohere SDK to ours. Source: Cohere, "Errors". */
import { z } from 'zod';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { mapTransportError, toUnbrokenError, WITHOUT_WORDS } from '../http-errors.ts';
import { type AnswerHead, hasStarted } from '../http-link.ts';

const bodySchema = z.object({ message: z.string() });

/** Recognises the SDK's errors by their fields: the SDK is loaded only when it is called. */
export function mapCohereError(error: unknown, head: AnswerHead | null): UnbrokenError {
  const hasStatus = error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
  if (!hasStatus) return mapTransportError(error, head);
  const body = bodySchema.safeParse('body' in error ? error.body : undefined);
  // 498: the key is blocked; 499: we closed the request. Neither is an HTTP status.
  const status = error.statusCode === 498 ? 401 : Number(error.statusCode);
  return toUnbrokenError({
    status,
    kind: '',
    message: body.success ? body.data.message : WITHOUT_WORDS,
    errorBody: head?.errorBody,
    headers: head?.headers,
    isStreaming: hasStarted(head),
  });
}
