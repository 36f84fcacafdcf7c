/** What all vendors' HTTP errors have in common: status, waiting time, and connections that failed. */
import { type ErrorCode, UnbrokenError } from '../contracts/errors.ts';
import { type AnswerHead, hasBegun } from './http-link.ts';

export interface HttpFailure {
  readonly status: number | undefined;
  /** The vendor's own code or type of the error. */
  readonly kind: string;
  readonly message: string;
  readonly headers: Headers | undefined;
  /** Whether the answer had begun. */
  readonly isStreaming: boolean;
}

const MESSAGE_CHARS = 300;

export function toUnbrokenError(failure: HttpFailure): UnbrokenError {
  const { status, message } = failure;
  const retryAfterMs = retryAfter(failure.headers);
  const code = codeOf(failure);
  // Vendors quote the refused key, in forms that no pattern knows.
  const safe = code === 'provider_auth' ? 'The provider refused its API key.' : redact(message);
  const text = safe.slice(0, MESSAGE_CHARS);
  return new UnbrokenError(code, status === undefined ? text : `${status}: ${text}`, { retryAfterMs });
}

/** An error without an answer of the vendor: a chunk that is no JSON, or a connection that failed or broke. */
export function brokenTransport(error: unknown, head: AnswerHead | null): UnbrokenError {
  const own = ownError(error);
  if (own !== null) return own;
  const isStreaming = hasBegun(head);
  if (error instanceof SyntaxError) {
    return new UnbrokenError('provider_malformed', 'The provider sent a chunk that is not JSON.', {
      cause: error,
    });
  }
  const message = isStreaming ? 'The connection broke.' : 'The provider cannot be reached.';
  return toUnbrokenError({ status: undefined, kind: '', message, headers: undefined, isStreaming });
}

/** Ours, also where an SDK has put its own error around it. */
function ownError(error: unknown): UnbrokenError | null {
  if (error instanceof UnbrokenError) return error;
  return error instanceof Error && error.cause !== undefined ? ownError(error.cause) : null;
}

function codeOf({ status, kind, message, isStreaming }: HttpFailure): ErrorCode {
  if (/context_length|context window|prompt is too long/i.test(`${kind} ${message}`))
    return 'context_length_exceeded';
  if (/content_filter|content_policy|policy_violation/i.test(kind)) return 'content_filtered';
  if (/prefill/i.test(message)) return 'provider_prefill_refused';
  if (/rate_limit/i.test(kind)) return 'provider_rate_limited';
  if (/overloaded|server_error|api_error/i.test(kind)) return 'provider_unavailable';
  if (status === undefined) return isStreaming ? 'provider_stream_cut' : 'provider_connect_failed';
  if (status === 401 || status === 403) return 'provider_auth';
  if (status === 429) return 'provider_rate_limited';
  if (status === 408 || status === 409 || status >= 500) return 'provider_unavailable';
  return 'provider_bad_request';
}

/** `retry-after-ms` (OpenAI), or `retry-after` in seconds or as a date (RFC 9110, 10.2.3). */
function retryAfter(headers: Headers | undefined): number | undefined {
  const inMs = Number(headers?.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(inMs)) return Math.max(0, inMs);
  const given = headers?.get('retry-after');
  if (given === null || given === undefined) return undefined;
  const seconds = Number(given);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const date = Date.parse(given);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Vendors quote keys in their messages. */
function redact(message: string): string {
  return message.replace(/\b(sk|key|ub|gsk|xai)[-_][A-Za-z0-9_*-]{6,}/g, '[key]');
}
