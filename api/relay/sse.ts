/** Server-sent events: encodes events, and makes a viewer's sink of an HTTP response. */
import type { Response } from 'express';
import type { GenerationEvent } from '../../contracts/events.ts';
import { type Chunk, chunkOf, writeChunk } from './chunk.ts';
import { ConnectionFlow } from './connection-flow.ts';
import type { EventConnection } from './event-connection.ts';
import type { ViewerSink } from './viewer.ts';

const HEARTBEAT = chunkOf(': heartbeat\n\n');

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

/** The same for a stream that needs no response. */
export class EventSink implements ViewerSink {
  readonly coalesces = true;
  readonly #connection: EventConnection;

  constructor(connection: EventConnection) {
    this.#connection = connection;
  }

  ready(): boolean {
    return this.#connection.flow.ready();
  }

  whenReady(): Promise<boolean> {
    return this.#connection.flow.whenReady();
  }

  send(events: readonly GenerationEvent[]): void {
    this.#connection.write(encode(events));
  }

  heartbeat(): void {
    this.#connection.write(HEARTBEAT);
  }

  closeStalled(): boolean {
    this.#connection.destroy();
    return true;
  }
}

/** A sink for any projection of the log. @param flow of the connection, if several sinks write to it. */
export function createResponseSink(
  response: Response,
  {
    encode,
    coalesces,
  }: { encode: (events: readonly GenerationEvent[]) => Chunk | string; coalesces: boolean },
  flow = new ConnectionFlow(response),
): ViewerSink {
  const write = (bytes: Chunk | string) => {
    const chunk = typeof bytes === 'string' ? chunkOf(bytes) : bytes;
    // An empty chunk would end the response.
    if (chunk.plain.length === 0 || response.destroyed || response.writableEnded) return;
    writeChunk(response, chunk);
  };
  return {
    ready: () => flow.ready(),
    whenReady: () => flow.whenReady(),
    send: (events) => write(encode(events)),
    heartbeat: () => write(HEARTBEAT),
    closeStalled: () => {
      response.destroy();
      return true;
    },
    coalesces,
  };
}
