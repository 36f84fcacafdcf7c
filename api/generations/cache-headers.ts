/** The response headers that report what the answer cache did. */
import type { GenerationEvent } from '../../contracts/events.ts';

/** @param events the first events of the log, up to the first that is not of the cache. */
export function cacheHeaders(events: readonly GenerationEvent[]): Record<string, string> {
  for (const event of events) {
    if (event.type === 'cache-hit') {
      return {
        'x-unbroken-cache': 'hit',
        'x-unbroken-cache-similarity': event.similarity.toFixed(4),
        'x-unbroken-cache-age-ms': String(event.ageMs),
        ...(event.entryId === undefined ? {} : { 'x-unbroken-cache-entry': event.entryId }),
      };
    }
    if (event.type === 'cache-join') {
      return { 'x-unbroken-cache': 'join', 'x-unbroken-cache-similarity': event.similarity.toFixed(4) };
    }
    if (event.type === 'cache-skip') return { 'x-unbroken-cache': 'skip' };
  }
  return { 'x-unbroken-cache': 'miss' };
}
