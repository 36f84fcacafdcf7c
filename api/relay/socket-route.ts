/**
 * The contract between the frame reader (`socket-frames.ts`) and the kinds of WebSocket that it serves, and two calls
 * that all of them make on a socket. It imports none of them, so that each can be changed alone.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { UnbrokenError } from '../../contracts/errors.ts';
import type { Caller } from '../access/api-keys.ts';

/** RFC 6455 registry: "try again later". */
const CLOSE_STALLED = 1013;

export const SOCKET_PATHS = { stream: '/v1/stream', responses: '/v1/responses' } as const;

/** A kind of WebSocket. */
export interface SocketRoute {
  /** The largest frame that a client may send. */
  readonly maxFrameBytes: number;
  /** Whether a ticket can open it. */
  readonly takesTickets: boolean;
  /** Which frames count against the key's request limit: all, or those that start work. Invalid frames always count. */
  readonly counts: 'all' | 'work';
  open(socket: OpenSocket): SocketSession;
}

export interface OpenSocket {
  readonly ws: WebSocket;
  /** The socket below `ws`: its buffer shows whether the client keeps up. */
  readonly connection: Duplex;
  readonly caller: Caller;
}

/** Serves one client. */
export interface SocketSession {
  /** Handles a short frame at once; returns the work of a long one. Throws for an invalid frame. */
  take(frame: unknown): FrameWork | null;
  /** Sends an error that belongs to no `FrameWork`. The error must not quote the frame. */
  refuse(error: UnbrokenError): void;
  close(): void;
}

export interface FrameWork {
  /** @param begun called once the frame itself is no longer held in memory. */
  run(begun: () => void): Promise<void>;
  /** Called when the work failed, or was not admitted. */
  fail(error: UnbrokenError): void;
}

export function closeStalled(ws: WebSocket): true {
  ws.close(CLOSE_STALLED, 'Too slow; reconnect with your cursors.');
  ws.terminate();
  return true;
}

/** Sends unless the client has disconnected; then its `close` event ends the relay. */
export function sendText(ws: WebSocket, text: string | Buffer): void {
  if (ws.readyState === ws.OPEN) ws.send(text, { binary: false });
}
