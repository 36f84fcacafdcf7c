/**
 * Maps errors of the Google Gen AI SDK to ours. The message is the JSON body. Source: Gemini API, "Troubleshooting".
 */
import { z } from 'zod';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { toUnbrokenError, WITHOUT_WORDS } from '../../vendor-errors/http-error.ts';
import { waitInDetails } from '../../vendor-errors/quota-details.ts';
import { mapTransportError } from '../http-errors.ts';
import { type AnswerHead, hasStarted } from '../http-link.ts';

const bodySchema = z.object({
  error: z.object({
    message: z.string(),
    status: z.string().optional(),
    details: z.array(z.looseObject({ reason: z.string().optional() })).optional(),
  }),
});

/** Recognises the SDK's `ApiError` by its name: the SDK is loaded only when it is called. */
export function isApiError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ApiError';
}

export function mapGoogleError(error: unknown, head: AnswerHead | null): UnbrokenError {
  if (!isApiError(error)) return mapTransportError(error, head);
  const { message, status = '', details = [] } = bodyOf(error.message);
  const reasons = details.map(({ reason }) => reason);
  // A refused key has status 400. Other messages of status 400 may quote the prompt, so their words prove nothing.
  const isKey = reasons.includes('API_KEY_INVALID') || /^API key (?:not valid|expired)/i.test(message);
  return toUnbrokenError({
    status: isKey ? 401 : 'status' in error ? Number(error.status) : undefined,
    kind: status,
    message,
    errorBody: head?.errorBody,
    headers: head?.headers,
    retryAfterMs: waitInDetails(details),
    isStreaming: hasStarted(head),
  });
}

/** In a stream, the SDK writes its own status before the body. Outside of one, the vendor sends a list. */
function bodyOf(message: string): z.infer<typeof bodySchema>['error'] {
  try {
    const body: unknown = JSON.parse(message.slice(Math.max(0, message.search(/[[{]/))));
    const parsed = bodySchema.safeParse(Array.isArray(body) ? body[0] : body);
    if (parsed.success) return parsed.data.error;
  } catch {
    return { message: WITHOUT_WORDS };
  }
  return { message: WITHOUT_WORDS };
}
