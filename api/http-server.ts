/**
 * The HTTP server with a limit on all that a client may hold open. None of them touches a response: `requestTimeout`
 * ends with the last byte of the request, so a stream may be as long as it likes.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Config } from '../config/load-config.ts';
import { LIMITS } from '../contracts/limits.ts';

const CHECKS_PER_LIMIT = 4;

export function createHttpServer(app: RequestListener, limits: Config['http']): Server {
  const server = createServer(
    {
      // Half of what may wait for a slow client; the other half is what is handed over at a time.
      highWaterMark: LIMITS.viewerBufferBytes / 2,
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      // Node looks for overdue connections at this pace; its default of 30 s would be the limit.
      connectionsCheckingInterval: Math.ceil(limits.headersMs / CHECKS_PER_LIMIT),
    },
    app,
  );
  server.maxHeadersCount = LIMITS.headerLines;
  server.maxConnections = limits.connections;
  return server;
}
