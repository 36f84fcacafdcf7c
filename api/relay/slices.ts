/**
 * Cuts events to what a viewer's connection can take at a time. Sizes are estimates from above, so that a slice never
 * overfills the buffer, whatever the format encodes it to.
 */
import type { GenerationEvent } from '../../contracts/events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { logprobBytes } from '../../contracts/token-logprobs.ts';
import { coalesce } from '../../engine/streaming/event-codec.ts';

/** A quarter of a connection's buffer. */
export const SLICE_BYTES = LIMITS.viewerBufferBytes / 4;
/** What an event takes beside its text once it is encoded; an upper bound over all formats. */
const EVENT_BYTES = 320;
const UTF8_BYTES_PER_CHAR = 4;
const MERGED_CHARS = SLICE_BYTES / UTF8_BYTES_PER_CHAR;

/** Viewers of one log share its batches, so each batch is merged once. */
const mergedBatches = new WeakMap<readonly GenerationEvent[], readonly GenerationEvent[]>();

/** Merges neighbouring deltas, each up to the size of a slice. */
export function mergeBatch(events: readonly GenerationEvent[]): readonly GenerationEvent[] {
  if (events.length < 2) return events;
  let merged = mergedBatches.get(events);
  if (merged === undefined) {
    merged = coalesce(events, MERGED_CHARS);
    mergedBatches.set(events, merged);
  }
  return merged;
}

export function encodedBytes(events: readonly GenerationEvent[]): number {
  let bytes = 0;
  for (const event of events) {
    bytes += EVENT_BYTES + ('text' in event ? UTF8_BYTES_PER_CHAR * event.text.length : 0);
    if (event.type === 'reasoning-seal') bytes += event.sealed.length;
    if (event.type === 'text-delta') bytes += logprobBytes(event);
  }
  return bytes;
}

/** Yields the events in order, each time as many as fit a slice and at least one. */
export function* slicesOf(events: readonly GenerationEvent[]): Generator<readonly GenerationEvent[]> {
  let from = 0;
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    bytes += encodedBytes([event]);
    if (bytes < SLICE_BYTES && index < events.length - 1) continue;
    yield from === 0 && index === events.length - 1 ? events : events.slice(from, index + 1);
    from = index + 1;
    bytes = 0;
  }
}
