/**
 * HTTP upgrades: admits a client to the WebSocket at its path, or refuses it with an HTTP error, and closes sockets
 * whose client has gone.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { UnbrokenError } from '../../contracts/errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { admitSocket } from '../http/front-door.ts';
import { plainUrl } from '../http/plain-path.ts';
import { refuseConnection } from '../http/refuse-connection.ts';
import { isStreaming } from '../http/taken-sockets.ts';
import { toPublicError } from '../http/to-public-error.ts';
import { SilentSockets } from './silent-sockets.ts';
import { serveFrames } from './socket-frames.ts';
import type { SocketRoute } from './socket-route.ts';

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
    if (isStreaming(connection)) {
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
          ws.on('error', terminateSoon);
          // Nothing here may be a closure: it would keep the request of the upgrade.
          serveFrames(dependencies, route, { ws, connection: request.socket, caller });
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

/** A client that broke the protocol was sent a close frame with the reason, and gets time to read it. */
function terminateSoon(this: WebSocket): void {
  setTimeout(() => this.terminate(), CLOSE_MS).unref();
}
