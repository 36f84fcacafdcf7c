/** HTTP upgrades: who may open a WebSocket, at which path, and what a refused one is told. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { admitSocket } from '../http/front-door.ts';
import { refuseConnection } from '../http/refuse-connection.ts';
import { toPublicError } from '../http/to-public-error.ts';
import { openResponsesSocket } from '../wires/openai-responses/web-socket.ts';
import { serveFrames } from './socket-frames.ts';
import { closeStalled } from './socket-route.ts';
import { openStreamSocket } from './web-socket.ts';

const CLOSE_SHUTDOWN = 1001;
const CLOSE_MS = 1_000;
/** A client that says and takes nothing for so many is gone. */
const SILENT_HEARTBEATS = 6;

export interface WebSockets {
  /** Asks every client to come back with its cursors. */
  close(): void;
}

export function serveWebSockets(server: Server, dependencies: ApiDependencies): WebSockets {
  const routes = new Map(
    Object.entries({
      '/v1/stream': openStreamSocket(dependencies),
      '/v1/responses': openResponsesSocket(dependencies),
    }).map(([path, route]) => [
      path,
      { ...route, sockets: new WebSocketServer({ noServer: true, maxPayload: route.maxFrameBytes }) },
    ]),
  );
  server.on('upgrade', (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    connection.on('error', () => connection.destroy());
    const path = (request.url ?? '').split('?')[0] ?? '';
    const route = routes.get(path);
    if (route === undefined) {
      const known = [...routes.keys()].join(' and ');
      refuseConnection(
        connection,
        new UnbrokenError('not_found', `There is no WebSocket at ${path}; there is one at ${known}.`),
      );
      return;
    }
    admitSocket(dependencies, request, connection, route).then(
      (caller) =>
        route.sockets.handleUpgrade(request, connection, head, (ws) => {
          limitAnswers(ws, connection);
          endSilent(ws, connection, SILENT_HEARTBEATS * dependencies.heartbeatMs);
          // A client that broke the protocol has been sent the code that says so, and may still read it.
          ws.on('error', () => setTimeout(() => ws.terminate(), CLOSE_MS).unref());
          serveFrames(dependencies, route, { ws, connection, caller });
        }),
      (error: unknown) => refuseConnection(connection, toPublicError(error)),
    );
  });
  return {
    close: () => {
      for (const { sockets } of routes.values()) {
        for (const client of sockets.clients) client.close(CLOSE_SHUTDOWN, 'The server restarts; come back.');
        sockets.close();
        // One that does not answer must not hold up the end of the process.
        setTimeout(() => {
          for (const client of sockets.clients) client.terminate();
        }, CLOSE_MS).unref();
      }
    },
  };
}

/**
 * The answers to a client's own frames must not pile up where it does not read them: then no more of it is read. Events
 * wait at less (connection-flow.ts), so a slow viewer can still say that it leaves. `ws` itself limits pongs.
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
 * A client that has gone without a word, such as a laptop that was shut, is found by a ping that nobody answers: TCP
 * would hold its socket for ever. One that is slow takes what waits for it.
 */
export function endSilent(ws: WebSocket, connection: Duplex, silentMs: number): void {
  let isHeard = true;
  const heard = () => {
    isHeard = true;
  };
  for (const sign of ['message', 'ping', 'pong']) ws.on(sign, heard);
  connection.on('drain', heard);
  const looking = setInterval(() => {
    if (!isHeard) ws.terminate();
    isHeard = false;
    if (ws.readyState === ws.OPEN) ws.ping();
  }, silentMs);
  ws.once('close', () => clearInterval(looking));
}
