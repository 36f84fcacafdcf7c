/** Errors of the Cohere SDK in our words. Source: Cohere, "Errors". */
import { z } from 'zod';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { brokenTransport, toUnbrokenError } from '../http-errors.ts';
import { type AnswerHead, hasBegun } from '../http-link.ts';

const bodySchema = z.object({ message: z.string() });

/** The SDK's errors, told by their fields: the SDK is loaded only when it is called. */
export function toError(error: unknown, head: AnswerHead | null): UnbrokenError {
  const hasStatus = error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number';
  if (!hasStatus) return brokenTransport(error, head);
  const body = bodySchema.safeParse('body' in error ? error.body : undefined);
  // 498: blocked; 499: we left. Neither is one of HTTP's.
  const status = error.statusCode === 498 ? 401 : Number(error.statusCode);
  return toUnbrokenError({
    status,
    kind: '',
    message: body.success ? body.data.message : 'The provider refused the call without a reason.',
    errorBody: head?.errorBody,
    headers: head?.headers,
    isStreaming: hasBegun(head),
  });
}
