/** What all vendors' HTTP errors have in common: status, waiting time, and connections that failed. */
import { ERRORS, UnbrokenError } from '../../contracts/errors.ts';
import { wasNeverSent } from '../../contracts/may-be-billed.ts';
import { type AnswerHead, hasBegun } from './http-link.ts';
import { codeOf, concernOf, type VendorRefusal } from './refusal-code.ts';
import { retryAfterMs } from './retry-after.ts';
import { vendorErrorIn } from './vendor-error.ts';

export interface HttpFailure extends VendorRefusal {
  readonly headers: Headers | undefined;
  /** The body of the answer, where it is an error's. */
  readonly errorBody?: string | undefined;
  /** The wait that the body names (Google); absent: what the headers say. */
  readonly retryAfterMs?: number | undefined;
}

export function toUnbrokenError(failure: HttpFailure): UnbrokenError {
  const { status } = failure;
  const refusal = withBodyRead(failure);
  const code = codeOf(refusal);
  const waitMs = ERRORS[code].retryable ? (failure.retryAfterMs ?? retryAfterMs(failure.headers)) : undefined;
  // Vendors quote the refused key, in forms that no pattern knows.
  const text = code === 'provider_auth' ? 'The provider refused its API key.' : refusal.message;
  return new UnbrokenError(code, status === undefined ? text : withStatus(status, text), {
    retryAfterMs: waitMs,
    refusal: { status: status ?? null, concerns: concernOf(refusal, code) },
  });
}

/** SDKs, and gateways on the way, put the status before the message too. */
function withStatus(status: number, text: string): string {
  const rest = text.startsWith(String(status))
    ? text.slice(String(status).length).replace(/^[:\s]+/, '')
    : text;
  return `${status}: ${rest}`;
}

/** What the SDK has read of the error, and what stands in the body beside it. */
function withBodyRead({ errorBody, ...failure }: HttpFailure): VendorRefusal {
  const { message, kind } = vendorErrorIn(errorBody ?? '');
  return {
    ...failure,
    kind: `${failure.kind} ${kind}`.trim(),
    message: message === '' ? failure.message : message,
  };
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
