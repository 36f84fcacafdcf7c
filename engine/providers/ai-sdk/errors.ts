/** Maps errors of AI SDK packages to ours. Source: the types of `@ai-sdk/provider`, APICallError. */
import { APICallError } from '@ai-sdk/provider';
import { z } from 'zod';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { toUnbrokenError } from '../../vendor-errors/http-error.ts';
import { parseVendorError } from '../../vendor-errors/vendor-error.ts';
import { mapTransportError } from '../http-errors.ts';
import { type AnswerHead, hasStarted } from '../http-link.ts';

/** The part of a vendor's error body that the packages pass on. */
const bodySchema = z.object({
  error: z.looseObject({
    code: z.unknown().optional(),
    type: z.unknown().optional(),
    message: z.string().optional(),
  }),
});

export function mapAiSdkError(error: unknown, head: AnswerHead | null): UnbrokenError {
  const isStreaming = hasStarted(head);
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
  // In the middle of a stream, the packages throw the vendor's own body unchanged.
  if (!(error instanceof Error)) {
    const { status, kind, message } = parseVendorError(JSON.stringify({ error }));
    return toUnbrokenError({
      status,
      headers: undefined,
      isStreaming,
      message: message || 'The provider sent an error.',
      kind: kind || 'server_error',
    });
  }
  return mapTransportError(causeOf(error), head);
}

/** The packages wrap a body that is not JSON in their own error. */
function causeOf(error: unknown): unknown {
  const isParsing = error instanceof Error && /JSONParse|TypeValidation/.test(error.name);
  return isParsing ? new SyntaxError('not JSON', { cause: error }) : error;
}
