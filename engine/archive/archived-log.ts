/** A log as the archive keeps it: the fields of its hash, its packed entries, and its input. */
import { z } from 'zod';
import type { GenerationEvent } from '../../contracts/events.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { parseJson } from '../../contracts/json.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { LogHead } from '../streaming/event-log.ts';
import { eventsInEntry } from '../streaming/log-entry.ts';
import { type LogFacts, parseLogFacts } from '../streaming/log-facts.ts';
import { parseHead } from '../streaming/log-head.ts';
import { type LogView, parseLogView } from '../streaming/log-view.ts';

const archivedLogSchema = z.object({
  generationId: z.string(),
  /** From then on it is deleted, and no reader gets it. */
  expiresAt: z.int(),
  fields: z.record(z.string(), z.string()),
  /** Entries of the stream: number of the last event, name and value of the field. */
  entries: z.array(z.tuple([z.int(), z.string(), z.string()])),
  /** `input`: as JSON, if it is small. `apart`: it is a separate object. `none`: Redis did not keep it. */
  input: z.union([
    z.object({ is: z.literal('here'), json: z.string() }),
    z.object({ is: z.enum(['apart', 'none']) }),
  ]),
});
export type StoredLog = z.infer<typeof archivedLogSchema>;

export class ArchivedLog {
  readonly stored: StoredLog;
  readonly head: LogHead;

  constructor(stored: StoredLog) {
    this.stored = stored;
    this.head = parseHead(stored.generationId, stored.fields);
  }

  static parse(json: string): ArchivedLog {
    return new ArchivedLog(archivedLogSchema.parse(JSON.parse(json)));
  }

  get view(): LogView | null {
    return parseLogView(this.stored.fields);
  }

  get facts(): LogFacts | null {
    return parseLogFacts(this.stored.fields);
  }

  /** Whether a step appended its events, as `appendOnce` notes it. */
  hasStep(step: string): boolean {
    return this.stored.fields[`once:${step}`] !== undefined;
  }

  /** The same events as the log in Redis gives for the same cursor; see `LogReader.read`. */
  read(after: number, maxEntries = Number.POSITIVE_INFINITY): GenerationEvent[] {
    const limit = maxEntries === Number.POSITIVE_INFINITY ? maxEntries : LIMITS.eventsPerRead;
    const events: GenerationEvent[] = [];
    let entries = 0;
    for (const [lastSeq, field, value] of this.stored.entries) {
      if (lastSeq <= after) continue;
      const found = eventsInEntry(`1-${lastSeq}`, { [field]: value }).filter(({ seq }) => seq > after);
      entries += 1;
      if (entries > 1 && (entries > maxEntries || events.length + found.length > limit)) break;
      for (const event of found) events.push(event);
    }
    return events;
  }

  /** The same without texts, as `EventLog.erase` leaves a log. */
  erased(): StoredLog {
    const { origin: _, checkpoint: __, 'view:end': end, ...others } = this.stored.fields;
    // An error may quote the prompt.
    const isKept = end !== undefined && others['status'] !== 'failed';
    const fields = isKept ? { ...others, 'view:end': end } : others;
    return {
      ...this.stored,
      fields: { ...fields, erased: '1', metadata: '{}' },
      entries: [],
      input: { is: 'none' },
    };
  }
}

export function parseInput(json: string): GenerationInput {
  return parseJson(json) as GenerationInput;
}
