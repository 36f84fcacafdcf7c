/**
 * What the relay keeps: whole pages of logs, which never change, and grants. The port is the part of the Web's `Cache`
 * that it needs, so Cloudflare's is one as it is. Whoever can read it can read logs: it must not be reachable by URL.
 */
import type { LogPage, LogStanding } from '../../contracts/log-pages.ts';

export interface EdgeCache {
  match(key: string): Promise<Response | undefined>;
  put(key: string, response: Response): Promise<void>;
  delete(key: string): Promise<boolean>;
}

/**
 * The tenant comes from the origin, never from the caller, so that no tenant can name another's page. A log that lost its
 * tail has other pages from then on.
 */
export function pageKey(
  origin: string,
  { tenant, id: generationId, tornUntil }: Pick<LogStanding, 'tenant' | 'id' | 'tornUntil'>,
  page: number,
): string {
  const owner = `${encodeURIComponent(tenant)}/${encodeURIComponent(generationId)}`;
  return `${origin}/.unbroken-edge/pages/${owner}/${tornUntil === undefined ? '' : `torn-${tornUntil}/`}${page}`;
}

/** `callerHash` covers the credentials, so a grant is for nobody else. */
export function grantKey(origin: string, callerHash: string, generationId: string): string {
  return `${origin}/.unbroken-edge/grants/${callerHash}/${encodeURIComponent(generationId)}`;
}

export async function readKept<Value>(cache: EdgeCache, key: string): Promise<Value | null> {
  const found = await cache.match(key);
  // Only this file writes there, by `keep`.
  return found === undefined ? null : ((await found.json()) as Value);
}

export async function keep(cache: EdgeCache, key: string, value: object, forSeconds: number): Promise<void> {
  const headers = { 'content-type': 'application/json', 'cache-control': `max-age=${forSeconds}` };
  await cache.put(key, new Response(JSON.stringify(value), { headers }));
}

export type KeptPage = Pick<LogPage, 'events'>;
