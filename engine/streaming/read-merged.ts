/** Reads a log page by page, for callers without cursors. */
import type { GenerationEvent } from '../../contracts/events.ts';
import { isTerminal } from '../../contracts/fold-events.ts';
import { coalesce } from './event-codec.ts';

/** @param read the next page after a cursor; empty at the end. @returns all events, with neighbouring deltas merged */
export async function readMerged(
  read: (after: number) => Promise<readonly GenerationEvent[]>,
  after: number,
): Promise<GenerationEvent[]> {
  const merged: GenerationEvent[] = [];
  for (let cursor = after; ; ) {
    const page = await read(cursor);
    const last = page.at(-1);
    if (last === undefined) return merged;
    for (const event of coalesce(page, Number.POSITIVE_INFINITY)) merged.push(event);
    // Nothing follows the terminal event.
    if (isTerminal(last)) return merged;
    cursor = last.seq;
  }
}
