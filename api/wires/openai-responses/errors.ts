/** Our errors in OpenAI's shape, for Responses, chat completions, embeddings and models alike. */
import type { UnbrokenError } from '../../../contracts/errors.ts';

export interface OpenAiErrorBody {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  /** Ours, of docs/errors, but where clients match on one of theirs. */
  readonly code: string;
  readonly doc: string;
}

const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
};

export function toOpenAiError(error: UnbrokenError): OpenAiErrorBody {
  const { status } = error.entry;
  const param = error.details?.['param'];
  return {
    message: error.message,
    type: TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error'),
    param: typeof param === 'string' ? param : null,
    code: codeOf(error.code, param),
    doc: error.toBody().doc,
  };
}

/** With this code clients send their whole conversation again. */
function codeOf(code: string, param: unknown): string {
  return code === 'not_found' && param === 'previous_response_id' ? 'previous_response_not_found' : code;
}
