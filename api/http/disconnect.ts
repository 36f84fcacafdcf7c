/** Tells a client that left from an error of ours: only the second is worth an operator's attention. */
import type { ServerResponse } from 'node:http';

/** Codes of Node and Express for a connection that its other side has closed. */
const DISCONNECT_CODES: ReadonlySet<unknown> = new Set([
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
]);

/** Whether `error` says no more than that the client closed the connection before its response was whole. */
export function isDisconnect(error: unknown, response: ServerResponse): boolean {
  return (
    response.req.socket.destroyed &&
    error instanceof Error &&
    'code' in error &&
    DISCONNECT_CODES.has(error.code)
  );
}
