/**
 * The body of a vendor's error, whatever its shape: `{error: {message, type, code}}`, `{error: 'text'}`, `{message}`,
 * `{detail}`, or a list of one of these. The vendors' SDKs pass on only the shape of their own vendor.
 */

export interface VendorError {
  /** '' where the body has no words. */
  readonly message: string;
  /** The vendor's codes and types of the error, separated by spaces. */
  readonly kind: string;
  /** The status that the body names; undefined where it names none. */
  readonly status: number | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Keys of a whole answer: a body that has one of these is no error, also where it has a field `error`. */
const OF_AN_ANSWER = ['choices', 'output', 'candidates', 'content', 'data', 'embeddings'];
/** An error without a status of its own is one of the request: nothing says that the provider is ill. */
const PLAIN_STATUS = 400;

export function vendorErrorIn(body: string): VendorError {
  const parsed = fieldsIn(body);
  if (parsed === null) return { message: '', kind: '', status: undefined };
  const inner = asFields(parsed['error']) ?? parsed;
  const words = [inner['message'], parsed['error'], parsed['message'], parsed['detail'], detailIn(parsed)];
  const message = words.find((one): one is string => typeof one === 'string' && one !== '') ?? '';
  const names = [inner['code'], inner['type'], inner['status'], reasonIn(inner), parsed['code']];
  return {
    message,
    kind: [...new Set(names.filter((one) => typeof one === 'string' && one !== ''))].join(' '),
    status: [inner['code'], inner['status'], parsed['code'], parsed['status']].map(statusIn).find(Boolean),
  };
}

/** The status that an error should have had whose HTTP status is a success; null where the body is no error. */
export function statusOfErrorBody(body: string): number | null {
  const parsed = fieldsIn(body);
  if (parsed === null || OF_AN_ANSWER.some((name) => Object.hasOwn(parsed, name))) return null;
  const { error } = parsed;
  const isError = (typeof error === 'string' && error !== '') || asFields(error) !== null;
  return isError ? (vendorErrorIn(body).status ?? PLAIN_STATUS) : null;
}

/** @returns undefined where the value is no status of an error. */
export function statusIn(value: unknown): number | undefined {
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

function asFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** FastAPI: `{detail: [{msg}]}`, and `{detail: {message}}` of those that build on it. */
function detailIn({ detail }: Fields): unknown {
  const fields = asFields(Array.isArray(detail) ? detail[0] : detail);
  return fields?.['msg'] ?? fields?.['message'];
}

/** Google: the reason of an error stands in its details, such as `API_KEY_INVALID`. */
function reasonIn({ details }: Fields): unknown {
  if (!Array.isArray(details)) return undefined;
  return details.map((one) => asFields(one)?.['reason']).find((reason) => typeof reason === 'string');
}
