/**
 * The one loop that carries a log to a viewer, for SSE and WebSocket alike. It goes at the viewer's pace: what is not
 * yet written is held for nobody but read again from the log, so a slow viewer costs one cursor. Neighbouring deltas
 * are merged for a viewer who is behind; text is never dropped.
 */
import { type GenerationEvent, isTerminal } from '../contracts/events.ts';
import { LIMITS } from '../contracts/limits.ts';
import { coalesce } from '../streaming/event-codec.ts';
import type { LogReader } from '../streaming/event-log.ts';
import type { LiveLogs } from '../streaming/live-logs.ts';
import { tailLost } from './check-cursor.ts';

export interface ViewerSink {
  /** Resolves when the viewer can take more. Rejects when it is gone or has stalled. */
  send(events: readonly GenerationEvent[]): Promise<void>;
  heartbeat(): Promise<void>;
}

export interface RelaySource {
  readonly log: LogReader;
  readonly live: LiveLogs;
  /** Silence after which a viewer gets a sign of life. */
  readonly heartbeatMs?: number | undefined;
}

export interface Relay {
  readonly generationId: string;
  /** The last seq that the viewer has; -1 for none. */
  readonly after: number;
  readonly sink: ViewerSink;
  readonly signal: AbortSignal;
}

/** @returns the viewer's cursor when the log has ended or the signal was given. */
export async function relayEvents(
  { log, live, heartbeatMs = LIMITS.relayHeartbeatMs }: RelaySource,
  { generationId, after, sink, signal }: Relay,
): Promise<number> {
  const shared = await live.follow(generationId);
  let cursor = after;
  /** The last event that was sent; the log must still have it wherever it is read again. */
  let sent: GenerationEvent | null = null;
  const readLog = async (): Promise<readonly GenerationEvent[]> => {
    if (sent === null) return log.read(generationId, cursor, LIMITS.entriesPerRead);
    const [known, ...events] = await log.read(generationId, cursor - 1, LIMITS.entriesPerRead);
    if (known?.seq !== sent.seq || known.at !== sent.at) throw tailLost(null);
    return events;
  };
  try {
    while (!signal.aborted) {
      const events = shared.after(cursor) ?? (await readLog());
      if (events.length > 0) {
        const last = await sendInSlices(events, sink, signal);
        if (last === null) return cursor;
        sent = last;
        cursor = last.seq;
        if (isTerminal(last)) return cursor;
        continue;
      }
      const arrived = shared.after(cursor);
      if (arrived !== null && arrived.length > 0) continue;
      const isNews = await shared.changed(heartbeatMs, signal);
      if (isNews || signal.aborted) continue;
      await sink.heartbeat();
      // A notice can be lost; after a silence the log itself is asked.
      const missed = await readLog();
      const last = missed.length === 0 ? null : await sendInSlices(missed, sink, signal);
      if (last !== null) {
        sent = last;
        cursor = last.seq;
        if (isTerminal(last)) return cursor;
      }
    }
    return cursor;
  } finally {
    await shared.release();
  }
}

/** Sends what fits the viewer's buffer at a time. @returns the last event sent, null if the signal came first. */
async function sendInSlices(
  events: readonly GenerationEvent[],
  sink: ViewerSink,
  signal: AbortSignal,
): Promise<GenerationEvent | null> {
  const merged = events.length > 1 ? coalesce(events) : events;
  let slice: GenerationEvent[] = [];
  let chars = 0;
  let last: GenerationEvent | null = null;
  for (const event of merged) {
    slice.push(event);
    chars += 'text' in event ? event.text.length : 256;
    if (chars < LIMITS.viewerBufferBytes / 4 && event !== merged.at(-1)) continue;
    if (signal.aborted) return last;
    await sink.send(slice);
    last = event;
    slice = [];
    chars = 0;
  }
  return last;
}
