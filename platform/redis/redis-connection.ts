/**
 * Connections to Redis. A command that is sent while Redis restarts waits for it, but no command waits for longer than
 * it may: a Redis that is frozen or cut off gives no error by itself.
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

/** Redis took a command and did not answer in time. Whether it was carried out, or will be, is not known. */
export class RedisSilentError extends Error {
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
      // Ends a connection on which nothing moves, also one that is made anew and gets no greeting.
      socketTimeout: answerMs,
    },
    // A connection that nobody uses moves all the same.
    pingInterval: Math.ceil(answerMs / 2),
    RESP: 2,
    // Of a command that waits for a connection. It ends when the command is written.
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
 * Rejects commands that are not answered in time, which the client does only until it has written them. From then until
 * an answer or a new connection comes, nothing more is sent: so the socket falls silent and is ended, and no more piles
 * up in it.
 */
function limitSilence(connection: RedisConnection, answerMs: number): void {
  let isSilent = false;
  connection.on('ready', () => {
    isSilent = false;
  });
  // `createClient` lays an object over the client; all commands go by the client's own method.
  const client: RedisConnection = Object.getPrototypeOf(connection);
  const send = client.sendCommand.bind(client);
  client.sendCommand = <Reply>(...[args, options]: Parameters<typeof send>): Promise<Reply> => {
    if (isSilent) return Promise.reject(new RedisSilentError(answerMs));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        isSilent = true;
        reject(new RedisSilentError(answerMs));
      }, answerMs);
      // Where it is written at once, the client's own limit, which costs more than this one, has nothing to watch.
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
/** Replies of a Redis that starts, lost its primary, cannot write its file or is out of memory. */
const REPLIES = /^(?:LOADING|MASTERDOWN|READONLY|MISCONF|OOM|CLUSTERDOWN|TRYAGAIN|BUSY)\b/;

/** Whether Redis refused a command, as it will refuse it again: a script that fails, or a key of another type. */
export function isRedisRefusal(error: unknown): boolean {
  return (
    error instanceof ErrorReply && !isRedisAway(error) && !/^(?:NOSCRIPT|MOVED|ASK)\b/.test(error.message)
  );
}

/** Whether a command failed because Redis is away for the moment; whether it was carried out is not known then. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof ErrorReply) return REPLIES.test(error.message);
  if (CONNECTION_ERRORS.some((kind) => error instanceof kind)) return true;
  return 'code' in error && typeof error.code === 'string' && SOCKET_CODES.test(error.code);
}
