/** The API answered with an error. `code`, `doc` and the fix are in docs/errors; `status` is the HTTP status. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  /** A code of docs/errors, or `http_<status>` if a proxy in between answered. */
  readonly code: string;
  readonly status: number;
  readonly doc: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    status: number,
    body: { code: string; message: string; doc?: string | undefined },
    retryAfterMs?: number,
  ) {
    super(body.message);
    this.code = body.code;
    this.status = status;
    this.doc = body.doc;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same request may succeed later without a change. */
  get passing(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** The stream broke the protocol: a gap, a duplicate, an unreadable event, or an event after the terminal one. */
export class StreamIntegrityError extends Error {
  override readonly name = 'StreamIntegrityError';
  readonly generationId: string;
  /** The last seq that was received intact. */
  readonly after: number;

  constructor(generationId: string, after: number, what: string) {
    super(`generation ${generationId} after seq ${after}: ${what}`);
    this.generationId = generationId;
    this.after = after;
  }
}

/** Nothing usable arrived for `giveUpAfterMs`. The generation continues: follow it again from `after`. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
  readonly url: string;
  /** The last seq that was received; absent if the request was not for a stream. */
  readonly after: number | undefined;

  constructor(url: string, waitedMs: number, cause: unknown, after?: number) {
    super(`no usable answer from ${url} for ${Math.round(waitedMs)} ms: ${reasonOf(cause)}`, { cause });
    this.url = url;
    this.after = after;
  }
}

/** What the caller has passed cannot be sent: every attempt would fail in the same way. */
export class UnusableOptionError extends TypeError {
  override readonly name = 'TypeError';
}

/** The generation ended with an error or was cancelled, so its text is not a finished answer. */
export class GenerationFailedError extends Error {
  override readonly name = 'GenerationFailedError';
  readonly code: string;
  readonly doc: string;
  /** The text that had arrived; never show it as finished. */
  readonly partialText: string;

  constructor(error: { code: string; message: string; doc: string }, partialText: string) {
    super(error.message);
    this.code = error.code;
    this.doc = error.doc;
    this.partialText = partialText;
  }
}

/** The innermost reason of a failure: `fetch` hides "connect ECONNREFUSED" in its `cause`. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return error.message || code || error.name;
}

/** Reads an error response. Anything but our JSON, such as the page of a proxy, gets the code `http_<status>`. */
export async function errorFromResponse(response: Response): Promise<ClientError> {
  const text = await response.text();
  const body = errorBodyOf(text) ?? {
    code: `http_${response.status}`,
    message: `HTTP ${response.status} ${response.statusText}: ${text.slice(0, 200)}`.trimEnd(),
  };
  return new ClientError(response.status, body, retryAfterMs(response.headers.get('retry-after')));
}

export function errorBodyOf(text: string): { code: string; message: string; doc: string } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('error' in value)) return undefined;
  const error = value.error;
  if (typeof error !== 'object' || error === null) return undefined;
  if (!('code' in error) || typeof error.code !== 'string') return undefined;
  const message = 'message' in error && typeof error.message === 'string' ? error.message : error.code;
  const doc = 'doc' in error && typeof error.doc === 'string' ? error.doc : `/docs/errors/${error.code}`;
  return { code: error.code, message, doc };
}

/** Retry-After is seconds or an HTTP date (RFC 9110, 10.2.3). */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = Number(header);
  const waitMs = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : undefined;
}
