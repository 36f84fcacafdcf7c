/**
 * Whether a caller may read a generation. The origin says so for every request, also where all that is read is in the
 * cache. Only while the origin does not answer, what it granted to the same credentials a short time ago still counts:
 * see docs/decisions/0015-authorisation-at-the-edge.md.
 */
import { docPage, ERRORS } from '../../contracts/errors.ts';
import type { LogStanding } from '../../contracts/log-pages.ts';
import { type EdgeCache, grantKey, keep, readKept } from './edge-cache.ts';
import { ask, type Credentials, generationUrl, type Origin, REFUSALS } from './origin.ts';

/** For so long after it was given a grant counts, while the origin does not answer. */
export const GRANT_SECONDS = 300;

export interface Access {
  readonly standing: LogStanding;
  /** What the origin says to browsers of other sites; goes with the stream. */
  readonly crossOrigin: Readonly<Record<string, string>>;
  /** Whether the origin said it now. */
  readonly isFresh: boolean;
}

type Grant = Omit<Access, 'isFresh'>;

/**
 * @param cursor the query that names what the viewer has, for the origin to say whether it is still so; '' for none
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
    const told = headersOf(answer, (name) => isForBrowsers(name) || TOLD.has(name));
    return new Response(await answer.text(), { status: answer.status, headers: told });
  }
  const standing = answer === null ? null : await standingIn(answer, generationId);
  if (answer === null || standing === null) {
    const grant = await readKept<Grant>(cache, key);
    return grant === null ? unavailable() : { ...grant, isFresh: false };
  }
  const crossOrigin = headersOf(answer, isForBrowsers);
  const grant: Grant = { standing, crossOrigin };
  await keep(cache, key, grant, GRANT_SECONDS);
  return { ...grant, isFresh: true };
}

/** null where the API is away, or something else answers in its place, such as the page of a proxy. */
async function standingIn(answer: Response, generationId: string): Promise<LogStanding | null> {
  if (answer.status >= 500) {
    await answer.body?.cancel();
    return null;
  }
  const told: unknown = await answer.json().catch(() => null);
  return isStanding(told) && told.id === generationId ? told : null;
}

function isStanding(told: unknown): told is LogStanding {
  if (typeof told !== 'object' || told === null) return false;
  const { id, tenant, status, nextSeq } = told as Record<keyof LogStanding, unknown>;
  return [id, tenant, status].every((one) => typeof one === 'string') && Number.isSafeInteger(nextSeq);
}

/** What a refusal says besides its body. */
const TOLD: ReadonlySet<string> = new Set(['content-type', 'retry-after', 'www-authenticate']);

function isForBrowsers(name: string): boolean {
  return name.startsWith('access-control-') || name === 'vary';
}

function headersOf(answer: Response, isWanted: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries([...answer.headers].filter(([name]) => isWanted(name)));
}

/** The headers that say who asks; null where there are none, or the request says it by its URL. */
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
