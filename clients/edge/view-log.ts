/** Streams a log as server-sent events at the pace of its viewer. Nothing is buffered for a slow viewer. */

import { DEFAULTS, LIMITS } from '../../contracts/limits.ts';
import { type GenerationEvent, isTerminal } from '../typescript/index.ts';
import { isRefusal } from './origin.ts';
import type { Viewing } from './shared-stream.ts';

export interface LogView {
  readonly generationId: string;
  /** The last seq that the viewer has. */
  readonly after: number;
  /** The time after which the response ends cleanly; the viewer reconnects with its cursor. */
  readonly untilMs: number | null;
  readonly headers: Readonly<Record<string, string>>;
  /** The events after the cursor, up to the end of their page. */
  readonly readPage: (after: number) => Promise<readonly GenerationEvent[]>;
  /** The live events; null if the log has ended, so that all of it is in pages. */
  readonly live: Viewing | null;
  /** The last event of a log that has ended. */
  readonly lastSeq: number | null;
  /** Aborts when the viewer has disconnected: workerd signals it this way and does not cancel the body. */
  readonly signal: AbortSignal;
}

const RETRY_MS = 500;
const encoder = new TextEncoder();
/** Viewers share events, so each is encoded once. */
const encoded = new WeakMap<GenerationEvent, string>();

export function viewLog(view: LogView): Response {
  const { live } = view;
  const endsAt = view.untilMs === null ? Number.POSITIVE_INFINITY : Date.now() + view.untilMs;
  let cursor = view.after;
  const leave = () => live?.leave();
  view.signal.addEventListener('abort', leave, { once: true });
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const events = await nextEvents(view, cursor, endsAt);
      if (events === null) {
        leave();
        controller.close();
        return;
      }
      const { text, last } = encode(events);
      controller.enqueue(encoder.encode(text));
      if (last === undefined) return;
      cursor = last.seq;
      if (!isTerminal(last)) return;
      leave();
      controller.close();
    },
    cancel: leave,
  });
  const headers = {
    ...view.headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    'x-unbroken-generation-id': view.generationId,
  };
  return new Response(body, { headers });
}

/** @returns the events after the cursor; empty when a heartbeat is due; null when the response must end. */
async function nextEvents(
  { live, readPage, lastSeq, signal }: LogView,
  cursor: number,
  endsAt: number,
): Promise<readonly GenerationEvent[] | null> {
  const heartbeatAt = Date.now() + DEFAULTS.relayHeartbeatMs;
  for (;;) {
    const now = Date.now();
    if (now >= endsAt || signal.aborted || live?.isOver() === true || (lastSeq !== null && cursor >= lastSeq))
      return null;
    if (now >= heartbeatAt) return [];
    const leftMs = Math.min(endsAt, heartbeatAt) - now;
    const held = live?.after(cursor) ?? null;
    if (held !== null && held.length > 0) return held;
    if (held !== null) {
      await live?.changed(leftMs);
      continue;
    }
    try {
      const events = await readPage(cursor);
      if (events.length > 0) return events;
    } catch (error) {
      if (isRefusal(error)) return null;
    }
    // The origin is down, or has fewer events than it said. The viewer keeps its connection.
    await pause(Math.min(leftMs, RETRY_MS));
  }
}

/** As many events as fit the viewer's buffer, at least one; a heartbeat for none. */
function encode(events: readonly GenerationEvent[]): { text: string; last: GenerationEvent | undefined } {
  if (events.length === 0) return { text: ': heartbeat\n\n', last: undefined };
  let text = '';
  let last: GenerationEvent | undefined;
  for (const event of events) {
    if (text.length > LIMITS.viewerBufferBytes) break;
    text += encodeEvent(event);
    last = event;
  }
  return { text, last };
}

function encodeEvent(event: GenerationEvent): string {
  const cached = encoded.get(event);
  if (cached !== undefined) return cached;
  const text = `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
  encoded.set(event, text);
  return text;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
