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
import { plainUrl } from '../http/plain-path.ts';
import { refuseConnection } from '../http/refuse-connection.ts';
import { isTaken } from '../http/taken-sockets.ts';
import { toPublicError } from '../http/to-public-error.ts';
import { SilentSockets } from './silent-sockets.ts';
import { serveFrames } from './socket-frames.ts';
import { closeStalled, type OpenSocket, type SocketRoute } from './socket-route.ts';

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
  const silent = new SilentSockets(SILENT_HEARTBEATS * dependencies.heartbeatMs);
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.on('error', destroyBroken);
    if (isTaken(connection)) {
      connection.destroy();
      return;
    }
    const path = plainUrl(request.url ?? '').split('?')[0] ?? '';
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
          silent.watch(ws, request.socket);
          serveSocket(dependencies, route, { ws, connection: request.socket, caller });
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

function destroyBroken(this: Duplex): void {
  this.destroy();
}

/** Separate, because what listens to the socket would keep the request of its upgrade. */
function serveSocket(dependencies: ApiDependencies, route: SocketRoute, socket: OpenSocket): void {
  const { ws, connection } = socket;
  limitAnswers(ws, connection);
  // A client that broke the protocol was sent a close frame with the reason, and gets time to read it.
  ws.on('error', () => setTimeout(() => ws.terminate(), CLOSE_MS).unref());
  serveFrames(dependencies, route, socket);
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
