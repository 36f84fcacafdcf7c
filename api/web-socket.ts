/**
 * `WS /v1/stream`: several generations on one socket, each by id and cursor, by the same relay loop as SSE. A socket
 * that takes nothing makes its relays wait; each holds only its cursor.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { UnbrokenError } from '../contracts/errors.ts';
import { LIMITS } from '../contracts/limits.ts';
import { clientFrameSchema, type ServerFrame } from '../contracts/websocket.ts';
import type { Caller } from './api-keys.ts';
import { type Cursor, checkCursor } from './check-cursor.ts';
import type { ApiDependencies } from './dependencies.ts';
import { findGeneration } from './find-generation.ts';
import { admitSocket } from './front-door.ts';
import { toKnownError } from './known-error.ts';
import { relayEvents, type ViewerSink } from './relay-events.ts';

const PATH = '/v1/stream';
const CLOSE_STALLED = 1013;
const CLOSE_SHUTDOWN = 1001;

export interface WebSockets {
  /** Asks every client to come back with its cursors. */
  close(): void;
}

export function serveWebSockets(server: Server, dependencies: ApiDependencies): WebSockets {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: LIMITS.webSocketFrameBytes });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '').split('?')[0];
    const admitted =
      path === PATH ? admitSocket(dependencies, request, socket) : Promise.reject(noSuchPath(path));
    admitted.then(
      (caller) => sockets.handleUpgrade(request, socket, head, (ws) => serveSocket(ws, caller, dependencies)),
      (error: unknown) => refuseUpgrade(socket, error),
    );
  });
  return {
    close: () => {
      for (const client of sockets.clients) client.close(CLOSE_SHUTDOWN, 'The server restarts; come back.');
      sockets.close();
    },
  };
}

function noSuchPath(path: string | undefined): UnbrokenError {
  return new UnbrokenError('not_found', `There is no WebSocket at ${path}; it is at ${PATH}.`);
}

function refuseUpgrade(socket: Duplex, error: unknown): void {
  const known = toKnownError(error);
  const body = JSON.stringify({ error: known.toBody() });
  const head = `HTTP/1.1 ${known.entry.status} Refused\r\ncontent-type: application/json\r\nconnection: close`;
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function serveSocket(ws: WebSocket, caller: Caller, dependencies: ApiDependencies): void {
  const subscriptions = new Map<string, AbortController>();
  const send = (frame: ServerFrame) => sendFrame(ws, frame);
  const fail = (error: unknown, generationId?: string) => {
    const known = toKnownError(error);
    if (known.code === 'internal') dependencies.logger.error({ err: error }, 'websocket');
    const about = generationId === undefined ? {} : { generationId };
    send({ type: 'error', ...about, error: known.toBody() }).catch(() => ws.terminate());
  };

  const subscribe = async (generationId: string, { after, at }: Cursor): Promise<void> => {
    if (subscriptions.has(generationId)) {
      throw new UnbrokenError('invalid_request', 'This socket follows that generation already.');
    }
    if (subscriptions.size >= LIMITS.subscriptionsPerSocket) {
      const most = LIMITS.subscriptionsPerSocket;
      throw new UnbrokenError('too_many_subscriptions', `One socket may follow ${most} generations.`);
    }
    const leave = new AbortController();
    subscriptions.set(generationId, leave);
    try {
      const head = await findGeneration(dependencies, caller, generationId);
      await checkCursor(dependencies.log, head, { after, at });
      await send({ type: 'subscribed', generationId, after });
      await relayEvents(dependencies, {
        generationId,
        after,
        sink: sinkFor(ws, generationId),
        signal: leave.signal,
      });
    } finally {
      subscriptions.delete(generationId);
    }
    await send({ type: 'unsubscribed', generationId });
  };

  ws.on('message', (data: RawData, isBinary: boolean) => {
    const frame = isBinary ? null : parseFrame(String(data));
    if (frame === null) {
      fail(new UnbrokenError('invalid_request', 'A frame is one JSON object of PROTOCOL.md, as text.'));
    } else if (frame.type === 'ping') send({ type: 'pong' }).catch(() => ws.terminate());
    else if (frame.type === 'unsubscribe') subscriptions.get(frame.generationId)?.abort();
    else {
      subscribe(frame.generationId, frame).catch((error: unknown) => {
        if (ws.readyState === ws.OPEN) fail(error, frame.generationId);
      });
    }
  });
  ws.on('close', () => {
    for (const leave of subscriptions.values()) leave.abort();
  });
  ws.on('error', () => ws.terminate());
}

function parseFrame(text: string) {
  try {
    return clientFrameSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function sinkFor(ws: WebSocket, generationId: string): ViewerSink {
  return {
    async send(events) {
      let sent: Promise<void> | null = null;
      for (const event of events) sent = sendFrame(ws, { type: 'event', generationId, event });
      if (ws.bufferedAmount > LIMITS.viewerBufferBytes) await sent;
      else sent?.catch(() => ws.terminate());
    },
    heartbeat: () => new Promise((resolve) => ws.ping(undefined, undefined, () => resolve())),
  };
}

/** Resolves when the frame has left this process; a client that takes nothing for too long is closed. */
function sendFrame(ws: WebSocket, frame: ServerFrame): Promise<void> {
  return new Promise((resolve, reject) => {
    if (ws.readyState !== ws.OPEN) {
      reject(new Error('The viewer is gone.'));
      return;
    }
    const stall = setTimeout(() => {
      ws.close(CLOSE_STALLED, 'Too slow; come back with your cursors.');
      ws.terminate();
    }, LIMITS.viewerStallMs);
    ws.send(JSON.stringify(frame), (error) => {
      clearTimeout(stall);
      if (error) reject(error);
      else resolve();
    });
  });
}
