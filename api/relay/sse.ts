/** Server-sent events: encodes events, and makes a viewer's sink of an HTTP response. */
import type { Response } from 'express';
import type { GenerationEvent } from '../../contracts/events.ts';
import { createConnectionFlow } from './connection-flow.ts';
import type { ViewerSink } from './viewer.ts';

const HEARTBEAT = ': heartbeat\n\n';

/** Viewers of one log share its batches, so each is encoded once. */
const encoded = new WeakMap<readonly GenerationEvent[], Buffer>();

function encode(events: readonly GenerationEvent[]): Buffer {
  let bytes = encoded.get(events);
  if (bytes === undefined) {
    bytes = Buffer.from(events.map(encodeEvent).join(''));
    encoded.set(events, bytes);
  }
  return bytes;
}

function encodeEvent(event: GenerationEvent): string {
  return `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
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

/** A signal that aborts when the connection closes. */
export function closedSignal(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.once('error', () => gone.abort());
  return gone.signal;
}

/** A sink for the events of the log as they are. */
export function createSseSink(response: Response): ViewerSink {
  return createResponseSink(response, { encode, coalesces: true });
}

/** A sink for any projection of the log. @param flow of the connection, if several sinks write to it. */
export function createResponseSink(
  response: Response,
  {
    encode,
    coalesces,
  }: { encode: (events: readonly GenerationEvent[]) => Buffer | string; coalesces: boolean },
  flow = createConnectionFlow(response),
): ViewerSink {
  const write = (bytes: Buffer | string) => {
    if (bytes.length > 0 && !response.destroyed && !response.writableEnded) response.write(bytes);
  };
  return {
    ready: flow.ready,
    whenReady: flow.whenReady,
    send: (events) => write(encode(events)),
    heartbeat: () => write(HEARTBEAT),
    closeStalled: () => {
      response.destroy();
      return true;
    },
    coalesces,
  };
}
