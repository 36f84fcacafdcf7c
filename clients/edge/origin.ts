/** The API behind the relay, called with the credentials of the viewer. */
import type { GenerationEvent } from '../../contracts/events.ts';
import { EVENTS_PER_PAGE, type LogPage, type LogStanding, pageOf } from '../../contracts/log-pages.ts';
import { errorFromResponse } from '../typescript/errors.ts';
import { ClientError } from '../typescript/index.ts';
import { type CachedPage, type EdgeCache, pageKey, readCached, writeCached } from './edge-cache.ts';

export interface Origin {
  /** Where the API is, without a slash at the end. */
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
}

/** The headers that identify a caller, and a hash of them that may be stored. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly hash: string;
}

const ANSWER_WITHIN_MS = 5_000;
/** The longest time for which a page outlives its generation. */
const PAGE_SECONDS = 3_600;

export function generationUrl(origin: Origin, generationId: string): string {
  return `${origin.url}/v1/generations/${encodeURIComponent(generationId)}`;
}

/** Throws what `fetch` throws, also when nothing answers in time. */
export function ask(
  origin: Origin,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  return origin.fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
}

/**
 * The events after the cursor, up to the end of their page. Whole pages are cached. The relay must have checked before
 * that the caller may read them. Throws ClientError, or what `fetch` throws.
 */
export async function readPage(
  origin: Origin,
  cache: EdgeCache,
  standing: Pick<LogStanding, 'id' | 'tenant' | 'tornUntil'>,
  { after, credentials }: { after: number; credentials: Credentials },
): Promise<readonly GenerationEvent[]> {
  const page = pageOf(after + 1);
  const key = pageKey(origin.url, standing, page);
  const cached = await readCached<CachedPage>(cache, key);
  const events = cached?.events ?? (await fetchPage());
  return events.slice(Math.max(0, after + 1 - page * EVENTS_PER_PAGE));

  async function fetchPage(): Promise<readonly GenerationEvent[]> {
    const url = `${generationUrl(origin, standing.id)}/pages/${page}`;
    const response = await ask(origin, url, credentials.headers);
    if (!response.ok) throw await errorFromResponse(response);
    const { events, whole } = (await response.json()) as LogPage;
    if (whole) {
      const value = { events } satisfies CachedPage;
      await writeCached(cache, key, { value, maxAgeSeconds: PAGE_SECONDS });
    }
    return events;
  }
}

/** The caller may not read the generation, or the generation is gone. */
export const REFUSALS: ReadonlySet<number> = new Set([401, 403, 404, 410]);

/** Whether the origin refused the request. Any other error may pass. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ClientError && !error.passing;
}
