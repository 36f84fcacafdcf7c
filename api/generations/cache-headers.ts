/** The response headers that report what the answer cache did. */
import type { GenerationEvent } from '../../contracts/events.ts';

/** The events of the cache that an answer came with. */
export type CacheUse = Extract<GenerationEvent, { type: 'cache-hit' | 'cache-join' | 'cache-skip' }>;

/** @param events the first events of the log, up to the first that is not of the cache. */
export function cacheHeaders(events: readonly GenerationEvent[]): Record<string, string> {
  const use = events.find(
    (event): event is CacheUse =>
      event.type === 'cache-hit' || event.type === 'cache-join' || event.type === 'cache-skip',
  );
  return headersOf(use ?? null);
}

/** @param use null: the cache did nothing. */
export function headersOf(use: CacheUse | null): Record<string, string> {
  if (use === null) return { 'x-unbroken-cache': 'miss' };
  if (use.type === 'cache-skip') return { 'x-unbroken-cache': 'skip' };
  if (use.type === 'cache-join') return { 'x-unbroken-cache': 'join', ...matchOf(use) };
  return {
    'x-unbroken-cache': 'hit',
    ...matchOf(use),
    'x-unbroken-cache-age-ms': String(use.ageMs),
    ...(use.entryId === undefined ? {} : { 'x-unbroken-cache-entry': use.entryId }),
  };
}

/** Logs of earlier releases do not say what found the match. */
function matchOf({
  similarity,
  matchedBy,
}: Pick<Exclude<CacheUse, { type: 'cache-skip' }>, 'similarity' | 'matchedBy'>) {
  return {
    'x-unbroken-cache-similarity': similarity.toFixed(4),
    ...(matchedBy === undefined ? {} : { 'x-unbroken-cache-matched-by': matchedBy }),
  };
}
