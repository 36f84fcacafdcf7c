/** Errors of AI SDK packages in our words. Source: the types of `@ai-sdk/provider`, APICallError. */
import { APICallError } from '@ai-sdk/provider';
import { z } from 'zod';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { brokenTransport, toUnbrokenError } from '../http-errors.ts';
import { type AnswerHead, hasBegun } from '../http-link.ts';

/** What the packages take over from the vendor's body of an error. */
const bodySchema = z.object({
  error: z.looseObject({
    code: z.unknown().optional(),
    type: z.unknown().optional(),
    message: z.string().optional(),
  }),
});

export function toError(error: unknown, head: AnswerHead | null): UnbrokenError {
  const isStreaming = hasBegun(head);
  if (APICallError.isInstance(error) && error.statusCode !== undefined && error.statusCode >= 400) {
    const body = bodySchema.safeParse(error.data);
    const { code, type } = body.success ? body.data.error : { code: '', type: '' };
    return toUnbrokenError({
      status: error.statusCode,
      kind: `${code ?? ''} ${type ?? ''}`,
      message: error.message,
      errorBody: head?.errorBody,
      headers: head?.headers,
      isStreaming,
    });
  }
  // In the middle of a stream the vendor's own body is thrown as it is.
  const inBand = bodySchema.safeParse({ error });
  if (!(error instanceof Error) && inBand.success) {
    const { code, type, message = 'The provider sent an error.' } = inBand.data.error;
    return toUnbrokenError({
      status: undefined,
      headers: undefined,
      isStreaming,
      message,
      kind: `${code ?? ''} ${type ?? ''}`.trim() || 'server_error',
    });
  }
  return brokenTransport(causeOf(error), head);
}

/** The packages put their own error around one that is no JSON. */
function causeOf(error: unknown): unknown {
  const isParsing = error instanceof Error && /JSONParse|TypeValidation/.test(error.name);
  return isParsing ? new SyntaxError('not JSON', { cause: error }) : error;
}
