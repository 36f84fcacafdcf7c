/**
 * Creates the HTTP server, with limits on everything that a client can keep open. No limit affects a response:
 * `requestTimeout` stops with the last byte of the request, so a stream can last as long as it needs.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { Config } from '../../platform/config/load-config.ts';
import { isUploading } from './long-uploads.ts';
import { refuseConnection } from './refuse-connection.ts';
import { isStreaming } from './taken-sockets.ts';

const CHECKS_PER_LIMIT = 4;
const REQUEST_TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT';

export function createHttpServer(app: RequestListener, limits: Config['http']): Server {
  const server = createServer(
    {
      // Half of what may wait for a slow client; the other half is for one slice (api/relay/slices.ts).
      highWaterMark: LIMITS.viewerBufferBytes / 2,
      maxHeaderSize: LIMITS.headerBytes,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      // Node checks for overdue connections at this interval; with its default of 30 s, that would be the limit.
      connectionsCheckingInterval: Math.ceil(limits.headersMs / CHECKS_PER_LIMIT),
      // The app checks it, and answers with our error.
      requireHostHeader: false,
      // Some clients offer HTTP/2 with every request (`Upgrade: h2c`), which a server may ignore.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    (request, response) => {
      // The client sent this before the end of its stream, of which an answer would seem to be a part.
      if (isStreaming(request.socket)) request.socket.destroy();
      else app(request, response);
    },
  );
  server.maxHeadersCount = LIMITS.headerLines;
  server.maxConnections = limits.connections;
  server.on('clientError', refuseBroken);
  return server;
}

/** A request that is not valid HTTP, or arrives too slowly, never reaches the app. It gets the same shape of error. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === REQUEST_TIMEOUT && isUploading(socket)) return;
  if (!socket.writable || hasStartedAnswer(socket) || isStreaming(socket)) {
    socket.destroy();
    return;
  }
  refuseConnection(socket, toProtocolError(error.code));
}

function toProtocolError(code: string | undefined): UnbrokenError {
  switch (code) {
    case REQUEST_TIMEOUT:
      return new UnbrokenError('request_timeout', 'The request did not arrive completely in time.');
    case 'HPE_HEADER_OVERFLOW':
      return new UnbrokenError('headers_too_large', `The headers are over ${LIMITS.headerBytes} bytes.`);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new UnbrokenError('body_too_large', 'The chunk extensions are too long.');
    default:
      return new UnbrokenError('invalid_request', 'The request is not valid HTTP.');
  }
}

/** A second answer within the first would be read as a part of it. Node keeps a socket's answer in `_httpMessage`. */
function hasStartedAnswer(socket: Duplex): boolean {
  if (!('_httpMessage' in socket)) return false;
  const { _httpMessage: answer } = socket;
  return (
    typeof answer === 'object' && answer !== null && 'headersSent' in answer && answer.headersSent === true
  );
}
