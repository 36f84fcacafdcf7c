/** Encodes the events of a log entry as JSON. A run of deltas of one type becomes one object with an array of texts. */
import type { EventBody, GenerationEvent } from '../../contracts/events.ts';

type DeltaType = 'text-delta' | 'reasoning-delta';
interface DeltaRun {
  readonly type: DeltaType;
  readonly parts: string[];
}
type StoredEvent = DeltaRun | Exclude<EventBody, { type: DeltaType }>;

export function encodeEvents(events: readonly EventBody[]): string {
  const stored: StoredEvent[] = [];
  let run: DeltaRun | null = null;
  for (const event of events) {
    if (event.type === 'text-delta' || event.type === 'reasoning-delta') {
      if (run === null || run.type !== event.type) {
        run = { type: event.type, parts: [] };
        stored.push(run);
      }
      run.parts.push(event.text);
    } else {
      run = null;
      stored.push(event);
    }
  }
  return JSON.stringify(stored);
}

export function decodeEvents(encoded: string): EventBody[] {
  const stored: StoredEvent[] = JSON.parse(encoded);
  return stored.flatMap((item): EventBody[] =>
    'parts' in item ? item.parts.map((text) => ({ type: item.type, text })) : [item],
  );
}

/** Numbers the events of an entry; the entry's id is the number of the last. */
export function numberEvents(bodies: readonly EventBody[], firstSeq: number, at: number): GenerationEvent[] {
  return bodies.map((body, index) => ({ seq: firstSeq + index, at, ...body }));
}

/**
 * Merges neighbouring deltas for a reader that is behind. `from` is the first seq covered, `seq` the last. A merged
 * delta holds at most `mostChars` characters, so that it fits the reader's buffer.
 */
export function coalesce(events: readonly GenerationEvent[], mostChars: number): GenerationEvent[] {
  const merged: GenerationEvent[] = [];
  for (const event of events) {
    const last = merged.at(-1);
    const isDelta = event.type === 'text-delta' || event.type === 'reasoning-delta';
    if (isDelta && last?.type === event.type && last.text.length + event.text.length <= mostChars) {
      merged[merged.length - 1] = { ...event, from: last.from ?? last.seq, text: last.text + event.text };
    } else {
      merged.push(event);
    }
  }
  return merged;
}
