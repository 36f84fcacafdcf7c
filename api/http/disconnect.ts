/** Distinguishes a client's disconnect from an error of ours, which alone needs an operator's attention. */
import type { ServerResponse } from 'node:http';

/** Codes of Node and Express for a connection that the client closed. */
const DISCONNECT_CODES: ReadonlySet<unknown> = new Set([
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_STREAM_DESTROYED',
]);

/** Whether `error` only reports that the client closed the connection before its response was complete. */
export function isDisconnect(error: unknown, response: ServerResponse): boolean {
  return (
    response.req.socket.destroyed &&
    error instanceof Error &&
    'code' in error &&
    DISCONNECT_CODES.has(error.code)
  );
}
