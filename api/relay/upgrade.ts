/**
 * HTTP upgrades: admits a client to the WebSocket at its path, or refuses it with an HTTP error, and closes sockets
 * whose client has gone.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { admitSocket } from '../http/front-door.ts';
import { refuseConnection } from '../http/refuse-connection.ts';
import { toPublicError } from '../http/to-public-error.ts';
import { serveFrames } from './socket-frames.ts';
import { closeStalled, type SocketRoute } from './socket-route.ts';

const CLOSE_SHUTDOWN = 1001;
const CLOSE_MS = 1_000;
/** A client that neither sends nor takes anything for so many heartbeats is gone. */
const SILENT_HEARTBEATS = 6;

interface WebSockets {
  /** Asks every client to reconnect with its cursors. */
  close(): void;
}

/** @param routes by their path. */
export function serveWebSockets(
  server: Server,
  dependencies: ApiDependencies,
  routes: Readonly<Record<string, SocketRoute>>,
): WebSockets {
  const served = new Map(
    Object.entries(routes).map(([path, route]) => [
      path,
      { route, sockets: new WebSocketServer({ noServer: true, maxPayload: route.maxFrameBytes }) },
    ]),
  );
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.on('error', () => connection.destroy());
    const path = (request.url ?? '').split('?')[0] ?? '';
    const endpoint = served.get(path);
    if (endpoint === undefined) {
      const paths = [...served.keys()].join(' and ');
      const message = `There is no WebSocket at ${path}; there is one at ${paths}.`;
      refuseConnection(connection, new UnbrokenError('not_found', message));
      return;
    }
    const { route, sockets } = endpoint;
    admitSocket(dependencies, request, connection, route).then(
      (caller) =>
        sockets.handleUpgrade(request, connection, head, (ws) => {
          limitAnswers(ws, connection);
          endSilent(ws, connection, SILENT_HEARTBEATS * dependencies.heartbeatMs);
          // A client that broke the protocol was sent a close frame with the reason, and gets time to read it.
          ws.on('error', () => setTimeout(() => ws.terminate(), CLOSE_MS).unref());
          serveFrames(dependencies, route, { ws, connection, caller });
        }),
      (error: unknown) => refuseConnection(connection, toPublicError(error)),
    );
  });
  return {
    close: () => {
      for (const { sockets } of served.values()) {
        for (const client of sockets.clients) client.close(CLOSE_SHUTDOWN, 'The server restarts; reconnect.');
        sockets.close();
        // A client that does not answer must not delay the shutdown.
        setTimeout(() => {
          for (const client of sockets.clients) client.terminate();
        }, CLOSE_MS).unref();
      }
    },
  };
}

/**
 * Stops reading a client that does not read our answers to its frames, because those would pile up. Events stop at a
 * lower mark (connection-flow.ts), so a slow viewer can still unsubscribe. `ws` itself limits pongs.
 */
export function limitAnswers(ws: WebSocket, connection: Duplex): void {
  ws.on('message', () => {
    if (connection.writableLength <= 2 * LIMITS.viewerBufferBytes || ws.isPaused) return;
    ws.pause();
    const stalled = setTimeout(() => closeStalled(ws), LIMITS.viewerStallMs);
    connection.once('drain', () => {
      clearTimeout(stalled);
      ws.resume();
    });
    connection.once('close', () => clearTimeout(stalled));
  });
}

/**
 * Ends the socket of a client that vanished, such as a laptop that was shut, when it answers no ping: TCP would keep
 * its socket for ever. A slow client is not ended, because it still drains its buffer.
 */
export function endSilent(ws: WebSocket, connection: Duplex, silentMs: number): void {
  let isAlive = true;
  const noteLife = () => {
    isAlive = true;
  };
  for (const sign of ['message', 'ping', 'pong']) ws.on(sign, noteLife);
  connection.on('drain', noteLife);
  const checks = setInterval(() => {
    if (!isAlive) ws.terminate();
    isAlive = false;
    if (ws.readyState === ws.OPEN) ws.ping();
  }, silentMs);
  ws.once('close', () => clearInterval(checks));
}
