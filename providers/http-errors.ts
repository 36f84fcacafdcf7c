/** What all vendors' HTTP errors have in common: status, waiting time, and connections that failed. */
import { ERRORS, type ErrorCode, UnbrokenError } from '../contracts/errors.ts';
import { wasNeverSent } from '../contracts/never-sent.ts';
import { type AnswerHead, hasBegun } from './http-link.ts';
import { retryAfterMs } from './retry-after.ts';

export interface HttpFailure {
  readonly status: number | undefined;
  /** The vendor's own code or type of the error. */
  readonly kind: string;
  readonly message: string;
  readonly headers: Headers | undefined;
  /** The wait that the body names (Google); absent: what the headers say. */
  readonly retryAfterMs?: number | undefined;
  /** Whether the answer had begun. */
  readonly isStreaming: boolean;
}

const MESSAGE_CHARS = 300;

export function toUnbrokenError(failure: HttpFailure): UnbrokenError {
  const { status, message } = failure;
  const code = codeOf(failure);
  const waitMs = ERRORS[code].retryable ? (failure.retryAfterMs ?? retryAfterMs(failure.headers)) : undefined;
  // Vendors quote the refused key, in forms that no pattern knows.
  const safe = code === 'provider_auth' ? 'The provider refused its API key.' : redact(message);
  const text = safe.slice(0, MESSAGE_CHARS);
  return new UnbrokenError(code, status === undefined ? text : `${status}: ${text}`, {
    retryAfterMs: waitMs,
  });
}

/** An error without an answer of the vendor: a chunk that cannot be read, or a connection that failed or broke. */
export function brokenTransport(error: unknown, head: AnswerHead | null): UnbrokenError {
  const own = ownError(error);
  if (own !== null) return own;
  const isStreaming = hasBegun(head);
  if (isNamed(error, 'SyntaxError')) {
    return new UnbrokenError('provider_malformed', 'The provider sent a chunk that is not JSON.', {
      cause: error,
    });
  }
  if (isStreaming && isUnreadable(error)) {
    const message = 'The provider sent a chunk that is not of its format.';
    return new UnbrokenError('provider_malformed', message, { cause: error });
  }
  if (isStreaming) return new UnbrokenError('provider_stream_cut', 'The connection broke.', { cause: error });
  return new UnbrokenError('provider_connect_failed', 'The provider cannot be reached.', {
    details: { sent: !wasNeverSent(error) },
    cause: error,
  });
}

/**
 * Whoever reads a chunk trusts its type; `null` where an object must stand is a TypeError then. `fetch` says a broken
 * connection so too, but with the cause.
 */
function isUnreadable(error: unknown): boolean {
  const isOfReading = isNamed(error, 'TypeError') || isNamed(error, 'RangeError');
  return isOfReading && !(error instanceof Error && error.cause !== undefined);
}

/** By its name: the error may come from another realm than ours. */
function isNamed(error: unknown, name: string): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === name;
}

/** Ours, also where an SDK has put its own error around it. */
function ownError(error: unknown): UnbrokenError | null {
  if (error instanceof UnbrokenError) return error;
  return error instanceof Error && error.cause !== undefined ? ownError(error.cause) : null;
}

/** What vendors say of an input that is too long; none has a status of its own for it. */
const TOO_LONG =
  /context_length|context window|context length|prompt is too long|too many tokens|reduce the length|input token count|exceeds the maximum number of tokens/i;
const FILTERED = /content_filter|content_policy|policy_violation|content_management/i;
/** An account without money or quota: waiting does not help, another key does. */
const EXHAUSTED =
  /insufficient_quota|insufficient_balance|insufficient balance|credit balance is too low|billing_hard_limit|used all available credits|payment required/i;

function codeOf({ status, kind, message, isStreaming }: HttpFailure): ErrorCode {
  const said = `${kind} ${message}`;
  // 413: too large as a request, or (Groq) for the tokens of a minute; neither gets better by waiting.
  if (status === 413 || TOO_LONG.test(said)) return 'context_length_exceeded';
  if (FILTERED.test(kind)) return 'content_filtered';
  if (/prefill/i.test(message)) return 'provider_prefill_refused';
  if (status === 402 || EXHAUSTED.test(said)) return 'provider_quota_exhausted';
  // The status is the vendor's word; what it calls the error matters where there is none.
  if (status === 401 || status === 403) return 'provider_auth';
  if (status === 429) return 'provider_rate_limited';
  if (status === 408 || status === 409 || (status !== undefined && status >= 500))
    return 'provider_unavailable';
  if (/rate_limit|resource_exhausted/i.test(kind)) return 'provider_rate_limited';
  if (/overloaded|server_error|api_error|unavailable|internal/i.test(kind)) return 'provider_unavailable';
  if (status !== undefined) return 'provider_bad_request';
  return isStreaming ? 'provider_stream_cut' : 'provider_connect_failed';
}

/** Vendors quote keys in their messages. */
function redact(message: string): string {
  return message.replace(/\b(sk|key|ub|gsk|xai)[-_][A-Za-z0-9_*-]{6,}/g, '[key]');
}
