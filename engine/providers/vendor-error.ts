/**
 * Parses the body of a vendor's error in any known shape: `{error: {message, type, code}}`, `{error: 'text'}`,
 * `{message}`, `{detail}`, or a list of one of these. The vendors' SDKs pass on only their own vendor's shape.
 */

interface VendorError {
  /** '' if the body has no message. */
  readonly message: string;
  /** The vendor's codes and types of the error, separated by spaces. */
  readonly kind: string;
  /** The status in the body; undefined if there is none. */
  readonly status: number | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Fields of an answer: a body with one of these is not an error, even if it has a field `error`. */
const OF_AN_ANSWER = ['choices', 'output', 'candidates', 'content', 'data', 'embeddings'];
/** An error without a status is blamed on the request: nothing says that the provider is unhealthy. */
const PLAIN_STATUS = 400;

export function parseVendorError(body: string): VendorError {
  const parsed = fieldsIn(body);
  if (parsed === null) return { message: '', kind: '', status: undefined };
  const inner = asFields(parsed['error']) ?? parsed;
  const words = [inner['message'], parsed['error'], parsed['message'], parsed['detail'], detailIn(parsed)];
  const message = words.find(isText) ?? '';
  const names = [inner['code'], inner['type'], inner['status'], reasonIn(inner), parsed['code']];
  return {
    message,
    kind: [...new Set(names.filter(isText))].join(' '),
    status: [inner['code'], inner['status'], parsed['code'], parsed['status']]
      .map(parseErrorStatus)
      .find(Boolean),
  };
}

/** The status that an error with HTTP status 2xx should have had; null if the body is not an error. */
export function statusOfErrorBody(body: string): number | null {
  const parsed = fieldsIn(body);
  if (parsed === null || OF_AN_ANSWER.some((name) => Object.hasOwn(parsed, name))) return null;
  const { error } = parsed;
  const isError = (typeof error === 'string' && error !== '') || asFields(error) !== null;
  return isError ? (parseVendorError(body).status ?? PLAIN_STATUS) : null;
}

/** @returns undefined if the value is not the status of an error. */
export function parseErrorStatus(value: unknown): number | undefined {
  const status = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN;
  return Number.isInteger(status) && status >= 400 && status < 600 ? status : undefined;
}

function fieldsIn(body: string): Fields | null {
  try {
    const parsed: unknown = JSON.parse(body);
    return asFields(Array.isArray(parsed) ? parsed[0] : parsed);
  } catch {
    return null;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function asFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
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
