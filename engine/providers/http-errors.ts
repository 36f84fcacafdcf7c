/** Maps what all vendors' failed calls have in common: refused requests, and connections that failed. */
import { type ErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import { wasNeverSent } from '../../contracts/may-be-billed.ts';
import { READ_CHARS, toUnbrokenError, WITHOUT_WORDS } from '../vendor-errors/http-error.ts';
import { type AnswerHead, hasStarted } from './http-link.ts';

/** What a vendor says of a request that it refuses for what is in it, by its SDK; null for any other error. */
export function badRequestWords(error: unknown): string | null {
  const isBad = error instanceof Error && 'status' in error && error.status === 400;
  return isBad ? error.message.slice(0, READ_CHARS) : null;
}

/** Errors of a stream that had no event, for which the body that came in its place has the reason. */
const WITHOUT_REASON: ReadonlySet<ErrorCode> = new Set([
  'provider_stream_cut',
  'provider_malformed',
  'provider_empty',
]);

/** Maps an error without a vendor's error body: an unreadable chunk, or a connection that failed or broke. */
export function mapTransportError(error: unknown, head: AnswerHead | null): UnbrokenError {
  const own = ownError(error);
  const body = own === null || WITHOUT_REASON.has(own.code) ? bodyInPlaceOfStream(head) : null;
  const known = body ?? own;
  if (known !== null) return known;
  const isStreaming = hasStarted(head);
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

/** The error that a server sent in place of a stream, but called a stream: an SDK finds no event in it. */
function bodyInPlaceOfStream(head: AnswerHead | null): UnbrokenError | null {
  if (head === null || hasStarted(head) || head.errorBody === '') return null;
  const { status, headers, errorBody } = head;
  return toUnbrokenError({
    status,
    kind: '',
    message: WITHOUT_WORDS,
    headers,
    errorBody,
    isStreaming: false,
  });
}

/**
 * Code that reads a chunk trusts its type, so `null` in place of an object causes a TypeError. `fetch` throws a
 * TypeError for a broken connection too, but with a cause.
 */
function isUnreadable(error: unknown): boolean {
  const isOfReading = isNamed(error, 'TypeError') || isNamed(error, 'RangeError');
  return isOfReading && !(error instanceof Error && error.cause !== undefined);
}

/** Compares the name, because the error may come from another realm than ours. */
function isNamed(error: unknown, name: string): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === name;
}

/** Our own error, also if an SDK has wrapped it. */
function ownError(error: unknown): UnbrokenError | null {
  if (error instanceof UnbrokenError) return error;
  return error instanceof Error && error.cause !== undefined ? ownError(error.cause) : null;
}
