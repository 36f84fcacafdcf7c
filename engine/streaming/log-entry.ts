/** The entries of a log's stream. Each is an append, or, once the log has ended, many of them packed into one. */
import type { GenerationEvent } from '../../contracts/events.ts';
import { decodeEvents, numberEvents } from './event-codec.ts';
import { unpackEvents } from './packed-events.ts';

interface StoredEntry {
  readonly id: string;
  readonly message: Readonly<Record<string, string>>;
}

/** By loops: `flatMap` costs several times as much, and every read of a log passes here. */
export function eventsIn(entries: readonly StoredEntry[]): GenerationEvent[] {
  const events: GenerationEvent[] = [];
  for (const { id, message } of entries) for (const event of eventsInEntry(id, message)) events.push(event);
  return events;
}

/** The id ends with the number of the last event. */
export function eventsInEntry(entryId: string, fields: Readonly<Record<string, string>>): GenerationEvent[] {
  const lastSeq = Number(entryId.slice(entryId.indexOf('-') + 1));
  const packed = unpackEvents(lastSeq, fields);
  if (packed !== null) return packed;
  const bodies = decodeEvents(fields['events'] ?? '[]');
  return numberEvents(bodies, lastSeq - bodies.length + 1, Number(fields['at']));
}
