/** The response headers that report what the answer cache did. */
import type { GenerationEvent } from '../../contracts/events.ts';

/** @param events the first events of the log, up to the first that is not of the cache. */
export function cacheHeaders(events: readonly GenerationEvent[]): Record<string, string> {
  for (const event of events) {
    if (event.type === 'cache-hit') {
      return {
        'x-unbroken-cache': 'hit',
        ...matchOf(event),
        'x-unbroken-cache-age-ms': String(event.ageMs),
        ...(event.entryId === undefined ? {} : { 'x-unbroken-cache-entry': event.entryId }),
      };
    }
    if (event.type === 'cache-join') {
      return { 'x-unbroken-cache': 'join', ...matchOf(event) };
    }
    if (event.type === 'cache-skip') return { 'x-unbroken-cache': 'skip' };
  }
  return { 'x-unbroken-cache': 'miss' };
}

/** Logs of earlier releases do not say what found the match. */
function matchOf({
  similarity,
  matchedBy,
}: Pick<Extract<GenerationEvent, { type: 'cache-hit' | 'cache-join' }>, 'similarity' | 'matchedBy'>) {
  return {
    'x-unbroken-cache-similarity': similarity.toFixed(4),
    ...(matchedBy === undefined ? {} : { 'x-unbroken-cache-matched-by': matchedBy }),
  };
}
