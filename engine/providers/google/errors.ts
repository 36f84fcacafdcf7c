/** Errors of the Google Gen AI SDK in our words. Its message is the JSON body. Source: Gemini API, "Troubleshooting". */
import { z } from 'zod';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { durationMs } from '../../../contracts/waits.ts';
import { brokenTransport, toUnbrokenError } from '../http-errors.ts';
import { type AnswerHead, hasBegun } from '../http-link.ts';

const bodySchema = z.object({
  error: z.object({
    message: z.string(),
    status: z.string().optional(),
    details: z
      .array(z.looseObject({ retryDelay: z.string().optional(), reason: z.string().optional() }))
      .optional(),
  }),
});

/** The SDK's `ApiError`, told by its name: the SDK is loaded only when it is called. */
export function toError(error: unknown, head: AnswerHead | null): UnbrokenError {
  if (!(error instanceof Error) || error.name !== 'ApiError') return brokenTransport(error, head);
  const { message, status = '', details = [] } = bodyOf(error.message);
  const reasons = details.map(({ reason }) => reason);
  const delay = details.find(({ retryDelay }) => retryDelay !== undefined)?.retryDelay;
  // A key that is refused is a bad request here. Other bad requests may quote the prompt, whatever stands in it.
  const isKey = reasons.includes('API_KEY_INVALID') || /^API key (?:not valid|expired)/i.test(message);
  return toUnbrokenError({
    status: isKey ? 401 : 'status' in error ? Number(error.status) : undefined,
    kind: status,
    message,
    errorBody: head?.errorBody,
    headers: head?.headers,
    retryAfterMs: delay === undefined ? undefined : durationMs(delay),
    isStreaming: hasBegun(head),
  });
}

/** In a stream the body stands after a status of the SDK's own. */
function bodyOf(message: string): z.infer<typeof bodySchema>['error'] {
  try {
    const parsed = bodySchema.safeParse(JSON.parse(message.slice(Math.max(0, message.indexOf('{')))));
    if (parsed.success) return parsed.data.error;
  } catch {
    return { message: 'The provider refused the call without a reason.' };
  }
  return { message: 'The provider refused the call without a reason.' };
}
