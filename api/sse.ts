/** Server-sent events: the projection of an event to its bytes, and a response as a viewer. */
import { once } from 'node:events';
import type { Response } from 'express';
import type { GenerationEvent } from '../contracts/events.ts';
import { LIMITS } from '../contracts/limits.ts';
import type { ViewerSink } from './relay-events.ts';

/** Viewers of one log share its events, so each event is encoded once. */
const encoded = new WeakMap<GenerationEvent, string>();

function encode(event: GenerationEvent): string {
  let text = encoded.get(event);
  if (text === undefined) {
    text = `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
    encoded.set(event, text);
  }
  return text;
}

export function startSse(response: Response, generationId: string): void {
  response.status(200).set({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    connection: 'keep-alive',
    'x-accel-buffering': 'no',
    'x-unbroken-generation-id': generationId,
  });
  response.flushHeaders();
  response.socket?.setNoDelay(true);
}

/** A signal that is given when the client has gone. */
export function closedSignal(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.once('error', () => gone.abort());
  return gone.signal;
}

export function createSseSink(response: Response): ViewerSink {
  const write = async (text: string): Promise<void> => {
    if (response.writableEnded || response.destroyed) throw new Error('The viewer is gone.');
    if (response.write(text)) return;
    await drained(response);
  };
  return {
    send: (events) => write(events.map(encode).join('')),
    heartbeat: () => write(': heartbeat\n\n'),
  };
}

/** `drain` never comes from a client that has gone, so it races with `close` and a limit. */
async function drained(response: Response): Promise<void> {
  const waiting = new AbortController();
  const stall = setTimeout(() => response.destroy(), LIMITS.viewerStallMs);
  const { signal } = waiting;
  try {
    const drain = once(response, 'drain', { signal }).then(() => true);
    const close = once(response, 'close', { signal }).then(() => false);
    const canGoOn = await Promise.race([drain, close]);
    Promise.allSettled([drain, close]);
    if (!canGoOn) throw new Error('The viewer is gone.');
  } finally {
    clearTimeout(stall);
    waiting.abort();
  }
}
