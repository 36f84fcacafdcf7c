/**
 * The events of an ended log in few entries, a few times as large as their text. Each entry holds its events as JSON:
 * the text of a run of deltas in one string, with the lengths of the deltas, and the times as steps. The JSON is
 * compressed where that makes it shorter.
 *
 * Numbers are one character each up to 61, so that a delta costs its text and two characters.
 */
import { deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import type { EventBody, GenerationEvent } from '../../contracts/events.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { type DeltaRun, fromRuns, type StoredEvent, toRuns } from './event-codec.ts';

/** A packed entry ends once its events have so many bytes, so that no entry takes long to read. */
const ENTRY_BYTES = 64 * 1024;

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** A stream entry: the seq of its last event, and its one field. */
export interface PackedEntry {
  readonly lastSeq: number;
  readonly field: 'packed' | 'deflated';
  readonly value: string;
}

/** A run of deltas: their text as one, and the length of each in UTF-16 code units. */
interface PackedRun extends Omit<DeltaRun, 'parts'> {
  readonly text: string;
  readonly lengths: string;
}

interface PackedEvents {
  /** `at` of the first event. */
  readonly at: number;
  /** By groups of events with one `at`: ms since the group before, and how many they are. */
  readonly steps: string;
  readonly counts: string;
  readonly events: readonly (PackedRun | EventBody)[];
}

export function packEvents(events: readonly GenerationEvent[]): PackedEntry[] {
  const entries: PackedEntry[] = [];
  let first = 0;
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    bytes += sizeOf(event);
    const isFull = bytes >= ENTRY_BYTES || index + 1 - first >= LIMITS.eventsPerAppend;
    if (!isFull && index + 1 < events.length) continue;
    entries.push(packEntry(events.slice(first, index + 1), event.seq));
    first = index + 1;
    bytes = 0;
  }
  return entries;
}

/** About. Most events are deltas, which need no JSON for this. */
function sizeOf(event: GenerationEvent): number {
  const isPlain = 'text' in event && !('logprobs' in event);
  return isPlain ? event.text.length : JSON.stringify(event).length;
}

/**
 * zlib prepares 256 kB for every call, whatever its length, which costs about as much as to compress an answer of a few
 * sentences. With these, it prepares an eighth. A text that fits this window becomes no longer by it.
 */
const SHORT_CHARS = 3_500;
const FOR_SHORT: ZlibOptions = { windowBits: 12, memLevel: 5, chunkSize: 2_048 };

function packEntry(events: readonly GenerationEvent[], lastSeq: number): PackedEntry {
  const json = JSON.stringify(packOf(events));
  const deflated = deflateRawSync(json, json.length > SHORT_CHARS ? {} : FOR_SHORT).toString('base64');
  const isShorter = deflated.length < Buffer.byteLength(json);
  return {
    lastSeq,
    ...(isShorter ? { field: 'deflated', value: deflated } : { field: 'packed', value: json }),
  };
}

function packOf(events: readonly GenerationEvent[]): PackedEvents {
  const bodies = events.map(({ seq: _, at: __, ...body }) => body as EventBody);
  const steps: number[] = [];
  const counts: number[] = [];
  let before = events[0]?.at ?? 0;
  for (const { at } of events) {
    if (counts.length > 0 && at === before) {
      counts.push((counts.pop() ?? 0) + 1);
    } else {
      steps.push(at - before);
      counts.push(1);
    }
    before = at;
  }
  return {
    at: events[0]?.at ?? 0,
    steps: writeNumbers(steps),
    counts: writeNumbers(counts),
    events: toRuns(bodies).map(packRun),
  };
}

/** @returns the events of a packed entry; null if its fields are not those of one. */
export function unpackEvents(
  lastSeq: number,
  fields: Readonly<Record<string, string>>,
): GenerationEvent[] | null {
  const json = fields['packed'] ?? inflated(fields['deflated']);
  if (json === null) return null;
  const packed: PackedEvents = JSON.parse(json);
  const bodies = fromRuns(packed.events.map(unpackRun));
  const counts = readNumbers(packed.counts);
  const firstSeq = lastSeq - bodies.length + 1;
  const events: GenerationEvent[] = [];
  let { at } = packed;
  for (const [group, step] of readNumbers(packed.steps).entries()) {
    at += step;
    for (let left = counts[group] ?? 0; left > 0; left -= 1) {
      const body = bodies[events.length];
      if (body !== undefined) events.push({ seq: firstSeq + events.length, at, ...body });
    }
  }
  return events;
}

function inflated(value: string | undefined): string | null {
  return value === undefined ? null : inflateRawSync(Buffer.from(value, 'base64')).toString();
}

function packRun(stored: StoredEvent): PackedRun | EventBody {
  if (!('parts' in stored)) return stored;
  const { parts, ...place } = stored;
  return { ...place, text: parts.join(''), lengths: writeNumbers(parts.map(({ length }) => length)) };
}

function unpackRun(packed: PackedRun | EventBody): StoredEvent {
  if (!('lengths' in packed)) return packed;
  const { text, lengths, ...place } = packed;
  let from = 0;
  const parts = readNumbers(lengths).map((length) => {
    from += length;
    return text.slice(from - length, from);
  });
  return { ...place, parts };
}

/** Whole numbers: a digit up to 61, others between brackets. A clock may go back, so a step may be negative. */
function writeNumbers(numbers: readonly number[]): string {
  return numbers.map((number) => DIGITS[number] ?? `(${number.toString(36)})`).join('');
}

function readNumbers(written: string): number[] {
  const numbers: number[] = [];
  for (let from = 0; from < written.length; ) {
    const isLong = written[from] === '(';
    const until = isLong ? written.indexOf(')', from) : from;
    numbers.push(
      isLong ? Number.parseInt(written.slice(from + 1, until), 36) : DIGITS.indexOf(written[from] ?? ''),
    );
    from = Math.max(from, until) + 1;
  }
  return numbers;
}
