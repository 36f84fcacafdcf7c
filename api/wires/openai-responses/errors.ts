/** Maps our errors to OpenAI's shape, for Responses, chat completions, embeddings and models. */
import type { RequestFormat } from '../../../contracts/content.ts';
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { fieldName, inNamesOf } from '../field-names.ts';

interface OpenAiErrorBody {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  /** Our code (docs/errors), except where clients match on one of OpenAI's. */
  readonly code: string;
  readonly doc: string;
  /** Seconds, as in the header `Retry-After`, which an error inside a stream does not have. */
  readonly retry_after?: number;
}

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

export function toOpenAiError(
  error: UnbrokenError,
  format: RequestFormat = 'openai-responses',
): OpenAiErrorBody {
  const status = openAiStatus(error);
  const param = error.details?.['param'];
  return {
    message: inNamesOf(format, error),
    type: TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error'),
    param: typeof param === 'string' ? fieldName(format, param) : null,
    code: isPreviousGone(error) ? 'previous_response_not_found' : error.code,
    doc: error.toBody().doc,
    ...retryAfterField(error),
  };
}

/** Of an error in another vendor's shape: when a retry may succeed, if that is known. */
export function retryAfterField({ retryAfterMs }: UnbrokenError): { readonly retry_after?: number } {
  return retryAfterMs === undefined ? {} : { retry_after: Math.ceil(retryAfterMs / 1_000) };
}

/** The status of the vendor, where it is another one. */
export function openAiStatus(error: UnbrokenError): number {
  return isPreviousGone(error) ? 400 : error.entry.status;
}

/** Clients send the whole conversation again then, if status, code and words are those of the vendor. */
function isPreviousGone({ code, details }: UnbrokenError): boolean {
  return code === 'not_found' && details?.['param'] === 'previous_response_id';
}
