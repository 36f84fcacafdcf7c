/**
 * The HTTP server with a limit on all that a client may hold open. None of them touches a response: `requestTimeout`
 * ends with the last byte of the request, so a stream may be as long as it likes.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { Config } from '../../platform/config/load-config.ts';
import { refuseConnection } from './refuse-connection.ts';

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
      // The app does, in our words.
      requireHostHeader: false,
      // Some clients offer HTTP/2 with every request (`Upgrade: h2c`); one that is not taken up is to be ignored.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    app,
  );
  server.maxHeadersCount = LIMITS.headerLines;
  server.maxConnections = limits.connections;
  server.on('clientError', refuseBroken);
  return server;
}

/** What is no request by HTTP, or comes too slowly, never reaches the app. It gets the same shape of error. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || hasBegunAnswer(socket)) {
    socket.destroy();
    return;
  }
  refuseConnection(socket, toRefusal(error.code));
}

function toRefusal(code: string | undefined): UnbrokenError {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new UnbrokenError('request_timeout', 'The request did not come whole in time.');
    case 'HPE_HEADER_OVERFLOW':
      return new UnbrokenError('headers_too_large', `The headers are over ${LIMITS.headerBytes} bytes.`);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new UnbrokenError('body_too_large', 'The extensions of the chunks are too long.');
    default:
      return new UnbrokenError('invalid_request', 'The request is not valid HTTP.');
  }
}

/** A second answer within the first would be read as a part of it. Node keeps the answer of a socket there. */
function hasBegunAnswer(socket: Duplex): boolean {
  if (!('_httpMessage' in socket)) return false;
  const { _httpMessage: answer } = socket;
  return (
    typeof answer === 'object' && answer !== null && 'headersSent' in answer && answer.headersSent === true
  );
}
