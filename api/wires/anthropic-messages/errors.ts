/** Maps our errors to Anthropic's shape. Source: docs.claude.com, "Errors". */
import type { UnbrokenError } from '../../../contracts/errors.ts';
import { retryAfterField } from '../openai-responses/errors.ts';

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'invalid_request_error',
  413: 'request_too_large',
  415: 'invalid_request_error',
  422: 'invalid_request_error',
  429: 'rate_limit_error',
  503: 'overloaded_error',
};

interface AnthropicErrorBody {
  readonly type: 'error';
  readonly error: {
    readonly type: string;
    readonly message: string;
    readonly code: string;
    readonly doc: string;
    readonly retry_after?: number;
  };
}

export function toAnthropicError(error: UnbrokenError): AnthropicErrorBody {
  const { code, doc } = error.toBody();
  const type = TYPES[error.entry.status] ?? 'api_error';
  return { type: 'error', error: { type, message: error.message, code, doc, ...retryAfterField(error) } };
}
