/** Maps errors of the Cohere SDK to ours. Source: Cohere, "Errors". */
import { z } from 'zod';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { toUnbrokenError, WITHOUT_WORDS } from '../../vendor-errors/http-error.ts';
import { mapTransportError } from '../http-errors.ts';
import { type AnswerHead, hasStarted } from '../http-link.ts';

/** The request is blocked for what it says, so it must not cost other callers the key. 499: we closed the request. */
const UNSAFE = 498;

const bodySchema = z.object({ message: z.string() });

/** Recognises the SDK's errors by their fields: the SDK is loaded only when it is called. */
export function mapCohereError(error: unknown, head: AnswerHead | null): UnbrokenError {
  const hasStatus = error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
  if (!hasStatus) return mapTransportError(error, head);
  const status = Number(error.statusCode);
  const body = bodySchema.safeParse('body' in error ? error.body : undefined);
  return toUnbrokenError({
    status,
    kind: status === UNSAFE ? 'content_policy' : '',
    message: body.success ? body.data.message : WITHOUT_WORDS,
    errorBody: head?.errorBody,
    headers: head?.headers,
    isStreaming: hasStarted(head),
  });
}
