/** Maps what all vendors' HTTP errors have in common: status, words, and wait. */
import { ERRORS, UnbrokenError } from '../../contracts/errors.ts';
import { classifyRefusal, refusalConcern, type VendorRefusal } from './refusal-code.ts';
import { retryAfterMs, waitOfLongLimit } from './retry-after.ts';
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
  const askedMs = ERRORS[code].retryable
    ? (failure.retryAfterMs ?? retryAfterMs(headers, refusal.message))
    : undefined;
  const waitMs = askedMs ?? (code === 'provider_rate_limited' ? waitOfLongLimit(refusal.message) : undefined);
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
export const READ_CHARS = 8_192;

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
