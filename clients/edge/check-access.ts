/**
 * Decides whether a caller may read a generation. The relay asks the origin for every request, even when all pages are
 * in its cache. Only while the origin does not answer, a grant that it recently gave to the same credentials still
 * counts: see docs/decisions/0010-origin-authorises-edge-viewers.md.
 */
import { docPage, ERRORS } from '../../contracts/errors.ts';
import type { LogStanding } from '../../contracts/log-pages.ts';
import { type EdgeCache, grantKey, readCached, writeCached } from './edge-cache.ts';
import { ask, type Credentials, generationUrl, type Origin, REFUSALS } from './origin.ts';

/** How long a grant counts while the origin does not answer. */
const GRANT_SECONDS = 300;

export interface Access {
  readonly standing: LogStanding;
  /** The CORS headers of the origin, sent with the stream. */
  readonly crossOrigin: Readonly<Record<string, string>>;
  /** Whether the origin answered this request, rather than an earlier one. */
  readonly isFresh: boolean;
}

type Grant = Omit<Access, 'isFresh'>;

/**
 * @param cursor the query with the viewer's cursor, which the origin checks; '' for none
 * @returns the access, or the response that refuses it
 */
export async function checkAccess(
  origin: Origin,
  cache: EdgeCache,
  { generationId, cursor }: { readonly generationId: string; readonly cursor: string },
  credentials: Credentials,
): Promise<Access | Response> {
  const key = grantKey(origin.url, credentials.hash, generationId);
  const answer = await ask(
    origin,
    `${generationUrl(origin, generationId)}/standing${cursor}`,
    credentials.headers,
  ).catch(() => null);
  if (answer !== null && !answer.ok && answer.status < 500) {
    if (REFUSALS.has(answer.status)) await cache.delete(key);
    const headers = pickHeaders(answer, (name) => isCrossOrigin(name) || REFUSAL_HEADERS.has(name));
    return new Response(await answer.text(), { status: answer.status, headers });
  }
  const standing = answer === null ? null : await standingIn(answer, generationId);
  if (answer === null || standing === null) {
    const grant = await readCached<Grant>(cache, key);
    return grant === null ? unavailable() : { ...grant, isFresh: false };
  }
  const crossOrigin = pickHeaders(answer, isCrossOrigin);
  const grant: Grant = { standing, crossOrigin };
  await writeCached(cache, key, { value: grant, maxAgeSeconds: GRANT_SECONDS });
  return { ...grant, isFresh: true };
}

/** null if the API is down, or something else answers in its place, such as the page of a proxy. */
async function standingIn(answer: Response, generationId: string): Promise<LogStanding | null> {
  if (answer.status >= 500) {
    await answer.body?.cancel();
    return null;
  }
  const body: unknown = await answer.json().catch(() => null);
  return isStanding(body) && body.id === generationId ? body : null;
}

function isStanding(body: unknown): body is LogStanding {
  if (typeof body !== 'object' || body === null) return false;
  const { id, tenant, status, nextSeq } = body as Record<keyof LogStanding, unknown>;
  return [id, tenant, status].every((field) => typeof field === 'string') && Number.isSafeInteger(nextSeq);
}

/** The headers of a refusal that are passed on. */
const REFUSAL_HEADERS: ReadonlySet<string> = new Set(['content-type', 'retry-after', 'www-authenticate']);

function isCrossOrigin(name: string): boolean {
  return name.startsWith('access-control-') || name === 'vary';
}

function pickHeaders(answer: Response, isWanted: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries([...answer.headers].filter(([name]) => isWanted(name)));
}

/** The credentials in the headers; null if there are none, or if they are in the URL. */
export async function credentialsOf(request: Request): Promise<Credentials | null> {
  const names = ['authorization', 'x-api-key'].filter((name) => request.headers.has(name));
  if (names.length === 0) return null;
  const site = request.headers.get('origin');
  const headers = Object.fromEntries(names.map((name) => [name, request.headers.get(name) ?? '']));
  if (site !== null) headers['origin'] = site;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(headers)));
  const hash = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return { headers, hash };
}

export function unavailable(): Response {
  const code = 'service_unavailable';
  const error = { code, message: 'The API does not answer.', doc: docPage(code) };
  const headers = { 'retry-after': '2', 'cache-control': 'no-store' };
  return Response.json({ error }, { status: ERRORS[code].status, headers });
}
