/**
 * Parses the body of a vendor's error in any known shape: `{error: {message, type, code}}`, `{error: 'text'}`,
 * `{message}`, `{detail}`, `{error_message, error_type}`, `{errors: [{message}]}` (Cloudflare), `{base_resp:
 * {status_code, status_msg}}` (MiniMax), or a list of one of these. The vendors' SDKs pass on only their own vendor's
 * shape.
 */
import { isJsonObject } from '../../contracts/json.ts';
import { waitInDetails } from './quota-details.ts';

interface VendorError {
  /** '' if the body has no message. */
  readonly message: string;
  /** The vendor's codes and types of the error, separated by spaces. */
  readonly kind: string;
  /** The status in the body; undefined if there is none. */
  readonly status: number | undefined;
  /** Headers in the body, such as those of the vendor behind a gateway (OpenRouter), and a wait as one of them. */
  readonly headers?: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields of an answer: a body with one of these is not an error, even if it has a field `error`. */
const OF_AN_ANSWER = ['choices', 'output', 'candidates', 'content', 'data', 'embeddings'];
/** An error without a status is blamed on the request: nothing says that the provider is unhealthy. */
const PLAIN_STATUS = 400;
/** A gateway's own words when the vendor behind it failed; it has that vendor's body beside them. */
const WRAPPED = /^(?:provider returned error|error from provider)\b/i;
/** MiniMax, "Error codes": each is an error that other vendors send with a status. */
const MINIMAX_STATUS: Readonly<Record<number, number>> = {
  1002: 429,
  1004: 401,
  1008: 402,
  1026: 403,
  1027: 403,
  1039: 429,
  2013: 400,
  2049: 401,
};
const MINIMAX_OTHER = 500;

export function parseVendorError(body: string): VendorError {
  const parsed = fieldsIn(body);
  if (parsed === null) return { message: '', kind: '', status: undefined };
  const known = parseFields(parsed);
  return known.message === '' ? { ...known, message: wordsIn(parsed, WORDS_DEPTH) } : known;
}

function parseFields(parsed: Fields): VendorError {
  const miniMax = parseMiniMax(parsed);
  if (miniMax !== null) return miniMax;
  const first = Array.isArray(parsed['errors']) ? asFields(parsed['errors'][0]) : null;
  const inner = asFields(parsed['error']) ?? first ?? parsed;
  const words = [inner['message'], parsed['error'], parsed['message'], parsed['detail'], detailIn(parsed)];
  const names = [inner['code'], inner['type'], inner['status'], reasonIn(inner), parsed['code']];
  const numbers = [inner['code'], inner['status'], parsed['code'], parsed['status'], parsed['error_code']];
  const outer = {
    message: [...words, parsed['error_message'], parsed['error_msg']].find(isText) ?? '',
    kind: [...new Set([...names, parsed['error_type']].filter(isText))].join(' '),
    status: numbers.map(parseErrorStatus).find(Boolean),
    headers: headersIn(inner),
  };
  return withCause(outer, inner);
}

/** How deep a message may lie in a body of a shape that is not known. */
const WORDS_DEPTH = 4;
/** Names of a message in such a body; the last ones are said where nothing better is. */
const WORDS = ['message', 'error', 'errors', 'detail', 'msg', 'Message', 'errorMessage', 'error_description'];
const POOR_WORDS = ['fault', 'faultstring', 'description', 'reason', 'title'];

function wordsIn(value: unknown, depth: number): string {
  if (isText(value)) return value;
  if (depth === 0) return '';
  if (Array.isArray(value)) return value.map((part) => wordsIn(part, depth - 1)).find(isText) ?? '';
  const fields = asFields(value) ?? {};
  return [...WORDS, ...POOR_WORDS].map((name) => wordsIn(fields[name], depth - 1)).find(isText) ?? '';
}

/** Fields of a wait: in seconds, or the time of its end. */
const WAITS = [
  'retry_after',
  'retry_after_seconds',
  'retryAfter',
  'retryAfterSeconds',
  'resets_in_seconds',
  'reset_in_seconds',
  'resets_at',
  'reset_at',
];
const WAITS_MS = ['retry_after_ms', 'retryAfterMs'];

function waitOfDetails({ details }: Fields): Readonly<Record<string, string>> {
  const ms = waitInDetails(details);
  return ms === undefined ? {} : { 'retry-after-ms': String(ms) };
}

function waitIn(fields: Fields): Readonly<Record<string, string>> {
  const firstOf = (names: readonly string[]) =>
    names
      .map((name) => fields[name])
      .find((value) => typeof value === 'number' || (isText(value) && /^\d/.test(value)));
  const [ms, wait] = [firstOf(WAITS_MS), firstOf(WAITS)];
  if (ms !== undefined) return { 'retry-after-ms': String(ms) };
  return wait === undefined ? {} : { 'retry-after': String(wait) };
}

/** OpenRouter: `metadata: {headers}`. Others have the wait as a field. */
function headersIn(inner: Fields): Readonly<Record<string, string>> {
  const metadata = asFields(inner['metadata']) ?? {};
  const listed = Object.entries(asFields(metadata['headers']) ?? {}).filter(
    (entry): entry is [string, string] => /^[\w-]+$/.test(entry[0]) && isText(entry[1]),
  );
  return {
    ...waitIn(metadata),
    ...waitIn(inner),
    ...waitOfDetails(inner),
    ...Object.fromEntries(listed.map(([name, value]) => [name.toLowerCase(), value])),
  };
}

/** An event of OpenAI's Responses: whatever it has, it is no error in another shape. */
const OF_RESPONSES = /^(?:response\.|error$)/;

/**
 * The error that an event of a stream is, in any shape of an error's body; null if it is none. Some servers have no
 * special event for errors.
 */
export function errorInEvent(value: unknown): unknown {
  const fields = asFields(value);
  if (fields === null) return null;
  const { error, type, object, code, choices } = fields;
  if (asFields(error) === null ? error : Object.keys(Object(error)).length > 0) return error;
  if (Array.isArray(choices) || (isText(type) && OF_RESPONSES.test(type))) return null;
  // An event of another type, as nearly all are.
  if (isText(type) && code === undefined && object !== 'error') return null;
  if (OF_AN_ANSWER.some((name) => Array.isArray(fields[name]))) return null;
  const isError = parseMiniMax(fields) !== null || parseFields(fields).message !== '';
  return isError ? fields : null;
}

/** A gateway's error with the words and kinds of the vendor behind it, if it passes them on. */
function withCause(outer: VendorError, { metadata }: Fields): VendorError {
  const raw = WRAPPED.test(outer.message) ? asFields(metadata)?.['raw'] : outer.message;
  if (!isText(raw)) return outer;
  const cause = parseVendorError(raw);
  if (cause.message === '') return raw === outer.message ? outer : { ...outer, message: raw };
  return {
    ...outer,
    message: cause.message,
    kind: `${outer.kind} ${cause.kind}`.trim(),
    status: outer.status ?? cause.status,
  };
}

function parseMiniMax({ base_resp: base }: Fields): VendorError | null {
  const { status_code: code, status_msg: text } = asFields(base) ?? {};
  if (typeof code !== 'number' || code === 0) return null;
  return {
    message: isText(text) ? text : '',
    kind: code === 1026 || code === 1027 ? 'sensitive' : '',
    status: MINIMAX_STATUS[code] ?? MINIMAX_OTHER,
  };
}

/** The status that an error with HTTP status 2xx should have had; null if the body is not an error. */
export function statusOfErrorBody(body: string): number | null {
  const parsed = fieldsIn(body);
  if (parsed === null || OF_AN_ANSWER.some((name) => Array.isArray(parsed[name]))) return null;
  const { error, errors } = parsed;
  const isListed = Array.isArray(errors) && errors.length > 0;
  const isError = isText(error) || asFields(error) !== null || isListed || parseMiniMax(parsed) !== null;
  return isError ? (parseVendorError(body).status ?? PLAIN_STATUS) : null;
}

/** @returns undefined if the value is not the status of an error. */
export function parseErrorStatus(value: unknown): number | undefined {
  const status = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined;
}

function fieldsIn(body: string): Fields | null {
  try {
    // OpenRouter quotes an event of the vendor behind it.
    const parsed: unknown = JSON.parse(body.replace(/^data:\s*/, ''));
    return asFields(Array.isArray(parsed) ? parsed[0] : parsed);
  } catch {
    return null;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function asFields(value: unknown): Fields | null {
  return isJsonObject(value) ? value : null;
}

/** FastAPI: `{detail: [{msg}]}`, and `{detail: {message}}` of servers that build on it. */
function detailIn({ detail }: Fields): unknown {
  const fields = asFields(Array.isArray(detail) ? detail[0] : detail);
  return fields?.['msg'] ?? fields?.['message'];
}

/** Google: the details of an error contain its reason, such as `API_KEY_INVALID`. */
function reasonIn({ details }: Fields): unknown {
  if (!Array.isArray(details)) return undefined;
  return details.map((detail) => asFields(detail)?.['reason']).find((reason) => typeof reason === 'string');
}
