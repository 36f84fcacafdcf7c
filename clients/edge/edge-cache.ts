/**
 * What the relay caches: whole pages of logs, which never change, and grants. The port is the part of the Web's `Cache`
 * that it needs, so Cloudflare's cache implements it. A reader of this cache can read logs: no URL may reach it.
 */
import type { LogPage, LogStanding } from '../../contracts/log-pages.ts';

export interface EdgeCache {
  match(key: string): Promise<Response | undefined>;
  put(key: string, response: Response): Promise<void>;
  delete(key: string): Promise<boolean>;
}

/**
 * The tenant comes from the origin, never from the caller, so that no tenant can name another's page. After a log has
 * lost its tail, its pages have other keys.
 */
export function pageKey(
  origin: string,
  { tenant, id: generationId, tornUntil }: Pick<LogStanding, 'tenant' | 'id' | 'tornUntil'>,
  page: number,
): string {
  const owner = `${encodeURIComponent(tenant)}/${encodeURIComponent(generationId)}`;
  return `${origin}/.unbroken-edge/pages/${owner}/${tornUntil === undefined ? '' : `torn-${tornUntil}/`}${page}`;
}

/** `callerHash` covers the credentials, so a grant counts for one caller only. */
export function grantKey(origin: string, callerHash: string, generationId: string): string {
  return `${origin}/.unbroken-edge/grants/${callerHash}/${encodeURIComponent(generationId)}`;
}

export async function readCached<Value>(cache: EdgeCache, key: string): Promise<Value | null> {
  const response = await cache.match(key);
  // The type is safe: only `writeCached` below writes to this cache.
  return response === undefined ? null : ((await response.json()) as Value);
}

export async function writeCached(
  cache: EdgeCache,
  key: string,
  { value, maxAgeSeconds }: { readonly value: object; readonly maxAgeSeconds: number },
): Promise<void> {
  const headers = { 'content-type': 'application/json', 'cache-control': `max-age=${maxAgeSeconds}` };
  await cache.put(key, new Response(JSON.stringify(value), { headers }));
}

export type CachedPage = Pick<LogPage, 'events'>;
