/**
 * The connection of a stream of events. For a response that has not ended, Node and Express keep its headers, the
 * request and all handlers that it passed: some 10 KiB. A stream that lasts for hours needs only the socket. So for
 * Node the response ends with its head, without the last chunk, which would end it for the client, and the stream
 * follows in chunks of ours.
 */
import type { Response } from 'express';
import { endStream, giveBack, isStreaming, takeSocket } from '../http/taken-sockets.ts';
import { type Chunk, LAST_CHUNK, writeChunk } from './chunk.ts';
import { ConnectionFlow } from './connection-flow.ts';

export interface EventConnection {
  readonly flow: ConnectionFlow;
  write(chunk: Chunk): void;
  /** Ends the stream. The connection stays open for the client's next request. */
  end(): void;
  destroy(): void;
  /** @param listener called once, when the client has the whole stream, or is gone. */
  onClose(listener: () => void): void;
}

type Socket = NonNullable<Response['socket']>;

/**
 * Takes the connection over from a response whose head has been sent. Who listens for the `close` of the response is
 * called when the stream ends.
 */
export function openEventConnection(response: Response): EventConnection {
  const { socket } = response;
  return socket !== null && !socket.destroyed && canBeTaken(response)
    ? new TakenConnection(response, socket)
    : new ResponseConnection(response);
}

/** HTTP/1.0 has no chunks. A connection that is not kept would be closed by Node at the end of the head. */
function canBeTaken(response: Response): boolean {
  const isKept = response.shouldKeepAlive && response.getHeader('connection') !== 'close';
  return response.chunkedEncoding && isKept;
}

class TakenConnection implements EventConnection {
  readonly flow: ConnectionFlow;
  readonly #socket: Socket;
  readonly #listeners: (() => void)[];
  readonly #close = () => this.#onEnd();
  /** `ending`: the client does not have all of it yet. */
  #state: 'open' | 'ending' | 'over' = 'open';

  constructor(response: Response, socket: Socket) {
    this.#socket = socket;
    this.#listeners = response
      .listeners('close')
      .map((listener) => () => Reflect.apply(listener, undefined, []));
    response.removeAllListeners('close');
    takeSocket(socket);
    this.flow = new ConnectionFlow(socket);
    socket.on('close', this.#close);
    endForNode(response, socket);
  }

  write({ framed }: Chunk): void {
    if (this.#state === 'open') this.#socket.write(framed);
  }

  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    endStream(this.#socket);
    this.#socket.setTimeout(keepAliveMsOf(this.#socket));
    this.#socket.write(LAST_CHUNK, this.#close);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  onClose(listener: () => void): void {
    if (this.#state === 'over') listener();
    else this.#listeners.push(listener);
  }

  #onEnd(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    giveBack(this.#socket);
    this.flow.stop();
    this.#socket.off('close', this.#close);
    for (const listener of this.#listeners) listener();
  }
}

function endForNode(response: Response, socket: Socket): void {
  response.chunkedEncoding = false;
  // Node now waits for the next request, for as long as it keeps an idle connection.
  response.once('finish', () => {
    if (isStreaming(socket)) socket.setTimeout(0);
  });
  response.end();
}

function keepAliveMsOf(socket: Socket): number {
  const server: unknown = 'server' in socket ? socket.server : undefined;
  const hasLimit = typeof server === 'object' && server !== null && 'keepAliveTimeout' in server;
  return hasLimit ? Number(server.keepAliveTimeout) : 0;
}

class ResponseConnection implements EventConnection {
  readonly flow: ConnectionFlow;
  readonly #response: Response;

  constructor(response: Response) {
    this.#response = response;
    this.flow = new ConnectionFlow(response);
  }

  write(chunk: Chunk): void {
    if (!this.#response.destroyed && !this.#response.writableEnded) writeChunk(this.#response, chunk);
  }

  end(): void {
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }

  onClose(listener: () => void): void {
    if (this.#response.closed) listener();
    else this.#response.once('close', listener);
  }
}
