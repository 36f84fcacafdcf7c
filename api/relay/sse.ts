/** Server-sent events: encodes events, and makes a viewer's sink of an HTTP response. */
import type { Response } from 'express';
import type { GenerationEvent } from '../../contracts/events.ts';
import { createConnectionFlow } from './connection-flow.ts';
import type { ViewerSink } from './viewer.ts';

const HEARTBEAT = ': heartbeat\n\n';

/**
 * Text with the frame of an HTTP chunk around it (RFC 9112, section 7.1). Node would frame it for each response, in
 * four writes.
 */
interface Chunk {
  readonly framed: Buffer;
  /** For HTTP/1.0, which has no chunks. */
  readonly plain: Buffer;
}

function chunkOf(text: string): Chunk {
  const head = `${Buffer.byteLength(text).toString(16)}\r\n`;
  const framed = Buffer.from(`${head}${text}\r\n`);
  return { framed, plain: framed.subarray(head.length, -2) };
}

function writeChunk(response: Response, { framed, plain }: Chunk): void {
  if (!response.headersSent || !response.chunkedEncoding) {
    response.write(plain);
    return;
  }
  response.chunkedEncoding = false;
  response.write(framed);
  response.chunkedEncoding = true;
}

/** Viewers of one log share its batches, so each is encoded once. */
const encoded = new WeakMap<readonly GenerationEvent[], Chunk>();

function encode(events: readonly GenerationEvent[]): Chunk {
  let chunk = encoded.get(events);
  if (chunk === undefined) {
    chunk = chunkOf(events.map(encodeEvent).join(''));
    encoded.set(events, chunk);
  }
  return chunk;
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
  }: { encode: (events: readonly GenerationEvent[]) => Chunk | string; coalesces: boolean },
  flow = createConnectionFlow(response),
): ViewerSink {
  const write = (bytes: Chunk | string) => {
    const chunk = typeof bytes === 'string' ? chunkOf(bytes) : bytes;
    // An empty chunk would end the response.
    if (chunk.plain.length === 0 || response.destroyed || response.writableEnded) return;
    writeChunk(response, chunk);
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
