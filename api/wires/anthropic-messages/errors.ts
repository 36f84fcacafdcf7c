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
  /** As in the header `request-id`. */
  readonly request_id: string | null;
}

export function toAnthropicError(error: UnbrokenError, requestId: string | null = null): AnthropicErrorBody {
  const { code, doc } = error.toBody();
  const type = TYPES[error.entry.status] ?? 'api_error';
  return {
    type: 'error',
    error: { type, message: messageOf(error), code, doc, ...retryAfterField(error) },
    request_id: requestId,
  };
}

/** The vendor's own words: its agents compact a conversation when they read them. */
const TOO_LONG = 'prompt is too long';

function messageOf({ code, message }: UnbrokenError): string {
  if (code !== 'context_length_exceeded' || message.toLowerCase().includes(TOO_LONG)) return message;
  return `${TOO_LONG}: ${message}`;
}
