/**
 * Connects to Redis. A command that is sent while Redis restarts waits for it, but no command waits longer than its
 * limit: a Redis that hangs or is cut off reports no error.
 */
import {
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  createClient,
  DisconnectsClientError,
  ErrorReply,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
  TimeoutError,
} from 'redis';
import { DEFAULTS } from '../../contracts/limits.ts';

export type RedisConnection = ReturnType<typeof connectionTo>;

/** Redis received a command and did not answer in time. It may have executed the command, or may still do so. */
class RedisSilentError extends Error {
  override readonly name = 'RedisSilentError';
  constructor(limitMs: number) {
    super(`Redis has not answered for ${limitMs} ms.`);
  }
}

function connectionTo(url: string, answerMs: number) {
  return createClient({
    url,
    socket: {
      reconnectStrategy: (retries) => Math.min(25 * 2 ** Math.min(retries, 6), 1_000),
      noDelay: true,
      connectTimeout: answerMs,
      // Closes a connection without traffic, even a new one that receives no greeting.
      socketTimeout: answerMs,
    },
    // Pings give an idle connection traffic.
    pingInterval: Math.ceil(answerMs / 2),
    RESP: 2,
    // Limits the wait for a connection; it ends when the command is written.
    commandOptions: { timeout: answerMs },
  });
}

/**
 * @param onError receives connection errors, each followed by a reconnect.
 * @param answerMs after which a command without an answer is rejected.
 */
export async function connectRedis(
  url: string,
  onError: (error: Error) => void,
  answerMs: number = DEFAULTS.redisAnswerMs,
): Promise<RedisConnection> {
  const connection = connectionTo(url, answerMs);
  limitSilence(connection, answerMs);
  connection.on('error', onError);
  await connection.connect();
  return connection;
}

/**
 * Rejects commands that are not answered in time; the client itself only limits the time until they are written. After
 * such a rejection nothing is sent until an answer or a new connection arrives: the socket goes idle and is closed, and
 * no further commands pile up in it.
 */
function limitSilence(connection: RedisConnection, answerMs: number): void {
  let isSilent = false;
  connection.on('ready', () => {
    isSilent = false;
  });
  // `createClient` returns an object on top of the client; all commands use the client's own method.
  const client: RedisConnection = Object.getPrototypeOf(connection);
  const send = client.sendCommand.bind(client);
  client.sendCommand = <Reply>(...[args, options]: Parameters<typeof send>): Promise<Reply> => {
    if (isSilent) return Promise.reject(new RedisSilentError(answerMs));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        isSilent = true;
        reject(new RedisSilentError(answerMs));
      }, answerMs);
      // A ready connection writes the command at once, so the client's own limit, which costs more, is not needed.
      const limits = connection.isReady ? { ...options, timeout: 0 } : options;
      send<Reply>(args, limits).then(
        (reply) => {
          clearTimeout(timer);
          isSilent = false;
          resolve(reply);
        },
        (error: unknown) => {
          clearTimeout(timer);
          if (error instanceof ErrorReply) isSilent = false;
          reject(error);
        },
      );
    });
  };
}

const CONNECTION_ERRORS = [
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
  TimeoutError,
  RedisSilentError,
];
const SOCKET_CODES = /^(?:ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
/** Replies of a Redis that is loading, has lost its primary, cannot write its file or is out of memory. */
const REPLIES = /^(?:LOADING|MASTERDOWN|READONLY|MISCONF|OOM|CLUSTERDOWN|TRYAGAIN|BUSY)\b/;

/** True if Redis refused a command and would refuse it again: a script that fails, or a key of another type. */
export function isRedisRefusal(error: unknown): boolean {
  return (
    error instanceof ErrorReply && !isRedisAway(error) && !/^(?:NOSCRIPT|MOVED|ASK)\b/.test(error.message)
  );
}

/** True if a command failed because Redis is unreachable for the moment. Redis may still have executed it. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof ErrorReply) return REPLIES.test(error.message);
  if (CONNECTION_ERRORS.some((kind) => error instanceof kind)) return true;
  return 'code' in error && typeof error.code === 'string' && SOCKET_CODES.test(error.code);
}
