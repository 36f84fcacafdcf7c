/** The API behind the relay, asked with the credentials of whoever asks the relay. */

import type { GenerationEvent } from '../../contracts/events.ts';
import { EVENTS_PER_PAGE, type LogPage, type LogStanding, pageOf } from '../../contracts/log-pages.ts';
import { errorFromResponse } from '../typescript/errors.ts';
import { ClientError } from '../typescript/index.ts';
import { type EdgeCache, type KeptPage, keep, pageKey, readKept } from './edge-cache.ts';

export interface Origin {
  /** Where the API is, without a slash at the end. */
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
}

/** Who asks: the headers that say so, and a hash of them that may be kept. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly hash: string;
}

const ANSWER_WITHIN_MS = 5_000;
/** How long a page outlives the generation that it is of, at most. */
const KEEP_PAGE_SECONDS = 3_600;

export function generationUrl(origin: Origin, generationId: string): string {
  return `${origin.url}/v1/generations/${encodeURIComponent(generationId)}`;
}

/** Throws what `fetch` throws where nothing answers in time. */
export function ask(
  origin: Origin,
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  return origin.fetch(url, { headers, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
}

/**
 * The events after the cursor, up to the end of their page. Whole pages come from the cache where they are there.
 * The caller's right to them has been checked before. Throws ClientError, or what `fetch` throws.
 */
export async function readPage(
  origin: Origin,
  cache: EdgeCache,
  standing: Pick<LogStanding, 'id' | 'tenant' | 'tornUntil'>,
  { after, credentials }: { after: number; credentials: Credentials },
): Promise<readonly GenerationEvent[]> {
  const page = pageOf(after + 1);
  const key = pageKey(origin.url, standing, page);
  const kept = await readKept<KeptPage>(cache, key);
  const events = kept?.events ?? (await fetchPage());
  return events.slice(Math.max(0, after + 1 - page * EVENTS_PER_PAGE));

  async function fetchPage(): Promise<readonly GenerationEvent[]> {
    const response = await ask(
      origin,
      `${generationUrl(origin, standing.id)}/pages/${page}`,
      credentials.headers,
    );
    if (!response.ok) throw await errorFromResponse(response);
    const read = (await response.json()) as LogPage;
    if (read.whole) await keep(cache, key, { events: read.events } satisfies KeptPage, KEEP_PAGE_SECONDS);
    return read.events;
  }
}

/** The caller may not see it, or no longer. */
export const REFUSALS: ReadonlySet<number> = new Set([401, 403, 404, 410]);

/** Whether the origin answered, and its answer is no. Anything else may pass. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ClientError && !error.passing;
}
