/** Encodes the events of a log entry as JSON. A run of deltas of one type becomes one object with an array of texts. */
import type { EventBody, GenerationEvent } from '../../contracts/events.ts';

type DeltaType = 'text-delta' | 'reasoning-delta';
/** The deltas of one type and, of reasoning, of one place. */
export interface DeltaRun {
  readonly type: DeltaType;
  readonly parts: string[];
  readonly item?: number;
  readonly part?: number;
}
/** A delta with log probabilities is stored as it is. */
export type StoredEvent = DeltaRun | EventBody;

export function encodeEvents(events: readonly EventBody[]): string {
  return JSON.stringify(toRuns(events));
}

/** The events with each run of deltas as one. */
export function toRuns(events: readonly EventBody[]): StoredEvent[] {
  const stored: StoredEvent[] = [];
  let run: DeltaRun | null = null;
  for (const event of events) {
    if ((event.type === 'text-delta' || event.type === 'reasoning-delta') && !hasLogprobs(event)) {
      if (run === null || !isSamePlace(run, event)) {
        run = { type: event.type, parts: [], ...placeOf(event) };
        stored.push(run);
      }
      run.parts.push(event.text);
    } else {
      run = null;
      stored.push(event);
    }
  }
  return stored;
}

export function decodeEvents(encoded: string): EventBody[] {
  return fromRuns(JSON.parse(encoded));
}

export function fromRuns(stored: readonly StoredEvent[]): EventBody[] {
  const events: EventBody[] = [];
  // By loops: every relay and every reader decodes every event.
  for (const item of stored) {
    if (!('parts' in item)) events.push(item);
    else for (const text of item.parts) events.push(deltaOf(item, text));
  }
  return events;
}

function deltaOf(run: DeltaRun, text: string): EventBody {
  const { type } = run;
  return type === 'text-delta' ? { type, text } : { type, text, ...placeOf(run) };
}

function hasLogprobs(event: EventBody): boolean {
  return event.type === 'text-delta' && event.logprobs !== undefined;
}

interface Place {
  readonly type: string;
  readonly item?: number | undefined;
  readonly part?: number | undefined;
}

function placeOf({ item, part }: Place) {
  return { ...(item === undefined ? {} : { item }), ...(part === undefined ? {} : { part }) };
}

function isSamePlace(a: Place, b: Place): boolean {
  return a.type === b.type && a.item === b.item && a.part === b.part;
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
    // Log probabilities are many times as long as their text, so they are not merged.
    const isPlain = last !== undefined && !hasLogprobs(event) && !hasLogprobs(last);
    const isNext = isDelta && isPlain && last.type === event.type && isSamePlace(last, event);
    if (isNext && last.text.length + event.text.length <= mostChars) {
      merged[merged.length - 1] = { ...event, from: last.from ?? last.seq, text: last.text + event.text };
    } else {
      merged.push(event);
    }
  }
  return merged;
}
