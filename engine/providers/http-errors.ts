/** Maps what all vendors' HTTP errors have in common: status, wait, and failed connections. */
import { ERRORS, type ErrorCode, UnbrokenError } from '../../contracts/errors.ts';
import { wasNeverSent } from '../../contracts/may-be-billed.ts';
import { type AnswerHead, hasStarted } from './http-link.ts';
import { classifyRefusal, refusalConcern, type VendorRefusal } from './refusal-code.ts';
import { retryAfterMs } from './retry-after.ts';
import { parseVendorError } from './vendor-error.ts';

interface HttpFailure extends VendorRefusal {
  readonly headers: Headers | undefined;
  /** The body of the answer if it is an error. */
  readonly errorBody?: string | undefined;
  /** The wait that the body states (Google); absent: the headers decide. */
  readonly retryAfterMs?: number | undefined;
}

export function toUnbrokenError(failure: HttpFailure): UnbrokenError {
  const { status } = failure;
  const { headers, ...refusal } = withBodyRead(failure);
  const code = classifyRefusal(refusal);
  const waitMs = ERRORS[code].retryable
    ? (failure.retryAfterMs ?? retryAfterMs(headers, refusal.message))
    : undefined;
  // Vendors quote the refused key in forms that no pattern covers.
  const text = code === 'provider_auth' ? 'The provider refused its API key.' : refusal.message;
  return new UnbrokenError(code, status === undefined ? text : withStatus(status, text), {
    retryAfterMs: waitMs,
    refusal: { status: status ?? null, concerns: refusalConcern(refusal, code) },
  });
}

/** SDKs and gateways also write the status before the message; it must not appear twice. */
function withStatus(status: number, text: string): string {
  const rest = text.startsWith(String(status))
    ? text.slice(String(status).length).replace(/^[:\s]+/, '')
    : text;
  return `${status}: ${rest}`;
}

/** What an error says comes first. A server may send any length, and what is searched for holds up all others. */
const READ_CHARS = 8_192;

/** What a vendor says of a request that it refuses for what is in it, by its SDK; null for any other error. */
export function badRequestWords(error: unknown): string | null {
  const isBad = error instanceof Error && 'status' in error && error.status === 400;
  return isBad ? error.message.slice(0, READ_CHARS) : null;
}

/** What an SDK has read of an error that is not of its vendor's shape. */
export const WITHOUT_WORDS = 'The provider refused the call without a reason.';

/** What the SDK has read of the error, completed by the body. */
function withBodyRead({ errorBody, ...failure }: HttpFailure): VendorRefusal & Pick<HttpFailure, 'headers'> {
  const { message: parsed, kind, headers = {} } = parseVendorError(errorBody ?? '');
  // Proxies answer in plain words.
  const message = parsed === '' && failure.message === WITHOUT_WORDS ? (errorBody ?? '').trim() : parsed;
  return {
    ...failure,
    kind: `${failure.kind} ${kind}`.trim().slice(0, READ_CHARS),
    message: withoutMarkup((message === '' ? failure.message : message).slice(0, READ_CHARS)),
    headers: withHeaders(failure.headers, headers),
  };
}

/** Those of the answer come first. */
function withHeaders(
  headers: Headers | undefined,
  inBody: Readonly<Record<string, string>>,
): Headers | undefined {
  if (Object.keys(inBody).length === 0) return headers;
  return new Headers({ ...inBody, ...Object.fromEntries(headers ?? []) });
}

/** Of a proxy's page, only the title says something; its other words, such as a link to a policy, mislead. */
function withoutMarkup(message: string): string {
  if (!/<(?:!doctype|html|head|body)\b/i.test(message)) return message;
  const [, title = ''] = /<title[^>]*>([^<]*)/i.exec(message) ?? [];
  return title.trim() || 'The answer is a web page.';
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
