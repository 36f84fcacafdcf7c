/** Connections to Redis for the log. A command that is sent while Redis restarts waits for it. */
import {
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  createClient,
  DisconnectsClientError,
  ErrorReply,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
} from 'redis';

export type RedisConnection = ReturnType<typeof connectionTo>;

function connectionTo(url: string) {
  return createClient({
    url,
    socket: {
      reconnectStrategy: (retries) => Math.min(25 * 2 ** Math.min(retries, 6), 1_000),
      noDelay: true,
    },
    RESP: 2,
  });
}

/** @param onError receives connection errors, each followed by a reconnect. */
export async function connectRedis(url: string, onError: (error: Error) => void): Promise<RedisConnection> {
  const connection = connectionTo(url);
  connection.on('error', onError);
  await connection.connect();
  return connection;
}

const CONNECTION_ERRORS = [
  ...[ClientClosedError, ClientOfflineError, ConnectionTimeoutError, DisconnectsClientError],
  ...[SocketClosedUnexpectedlyError, SocketTimeoutError],
];
const SOCKET_CODES = /^(?:ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
/** Replies of a Redis that starts, lost its primary, cannot write its file or is out of memory. */
const REPLIES = /^(?:LOADING|MASTERDOWN|READONLY|MISCONF|OOM|CLUSTERDOWN|TRYAGAIN|BUSY)\b/;

/** Whether a command failed because Redis is away for the moment; whether it was carried out is not known then. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof ErrorReply) return REPLIES.test(error.message);
  if (CONNECTION_ERRORS.some((kind) => error instanceof kind)) return true;
  return 'code' in error && typeof error.code === 'string' && SOCKET_CODES.test(error.code);
}
