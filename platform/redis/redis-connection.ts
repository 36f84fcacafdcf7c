/**
 * Connects to one Redis server. A command that is sent while Redis restarts waits for it, but no command waits longer
 * than its limit: a Redis that hangs or is cut off reports no error. `open-redis.ts` opens a cluster or follows the
 * master of sentinels, by such connections.
 */
import type { EventEmitter } from 'node:events';
import {
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  createClient,
  DisconnectsClientError,
  ErrorReply,
  MaxCommandRedirectionsError,
  type RedisArgument,
  RootNodesUnavailableError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
  TimeoutError,
} from 'redis';
import { DEFAULTS } from '../../contracts/limits.ts';
import { TooLate, withTimeout } from '../with-timeout.ts';

export type RedisConnection = ReturnType<typeof connectionTo>;

/** Redis received a command and did not answer in time. It may have executed the command, or may still do so. */
class RedisSilentError extends Error {
  override readonly name = 'RedisSilentError';
  constructor(limitMs: number) {
    super(`Redis has not answered for ${limitMs} ms.`);
  }
}

/** Redis executed a write, and too few replicas have confirmed it: a failover may still lose it. */
export class ReplicasMissingError extends Error {
  override readonly name = 'ReplicasMissingError';
  constructor(confirmed: number, { count, withinMs }: { readonly count: number; readonly withinMs: number }) {
    super(
      `${confirmed} of ${count} replicas confirmed a write within ${withinMs} ms (redis.waitForReplicas).`,
    );
  }
}

/** The options that every connection has, to whichever server. */
export function connectionOptions(answerMs: number) {
  return {
    socket: {
      reconnectStrategy: (retries: number) => Math.min(25 * 2 ** Math.min(retries, 6), 1_000),
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
  } as const;
}

function connectionTo(url: string, answerMs: number) {
  const client = createClient({ url, ...connectionOptions(answerMs) });
  return Object.assign(client, { keyspace: (): Promise<string | null> => runIdOf(client) });
}

/** Names one life of a server: it has another one after each start. '' if the server does not say. */
export async function runIdOf(server: { info(section: string): Promise<unknown> }): Promise<string> {
  return /^run_id:(\w+)/m.exec(String(await server.info('server')))?.[1] ?? '';
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
  const connection = unconnectedRedis(url, onError, answerMs);
  await connection.connect();
  return connection;
}

/** The same, before it connects. */
export function unconnectedRedis(
  url: string,
  onError: (error: Error) => void,
  answerMs: number,
): RedisConnection {
  const connection = connectionTo(url, answerMs);
  limitSilence(connection, answerMs);
  connection.on('error', onError);
  return connection;
}

/** Rejects with `RedisSilentError` where the limits of the connection itself do not apply. */
export async function answeredWithin<Reply>(limitMs: number, reply: Promise<Reply>): Promise<Reply> {
  try {
    return await withTimeout('Redis', limitMs, reply);
  } catch (error) {
    throw error instanceof TooLate ? new RedisSilentError(limitMs) : error;
  }
}

/** What is needed of a node-redis client of one server, whichever options it was created with. */
export interface ServerConnection extends Pick<EventEmitter, 'on' | 'once'> {
  readonly isReady: boolean;
  sendCommand<Reply>(args: readonly RedisArgument[], options?: { readonly timeout?: number }): Promise<Reply>;
}

/** Each new connection may reach a replica again, until the name of a hosted Redis leads to the new master. */
const LEAVE_EVERY_MS = 1_000;

/**
 * Rejects commands that are not answered in time; the client itself only limits the time until they are written. After
 * such a rejection nothing is sent until an answer or a new connection arrives: the socket goes idle and is closed, and
 * no further commands pile up in it.
 *
 * A master that has become a replica keeps its connections and refuses their writes, so such a connection is opened
 * again.
 */
export function limitSilence(connection: ServerConnection, answerMs: number): void {
  let isSilent = false;
  connection.on('ready', () => {
    isSilent = false;
  });
  // node-redis returns an object on top of the client; all commands use the client's own method.
  const client: ServerConnection = Object.getPrototypeOf(connection);
  const send = client.sendCommand.bind(client);
  let leftAtMs = Number.NEGATIVE_INFINITY;
  const leaveReplica = () => {
    if (performance.now() - leftAtMs < LEAVE_EVERY_MS) return;
    leftAtMs = performance.now();
    // The server closes the connection behind its answer, so whatever was sent before is answered still.
    send(['QUIT']).catch(() => undefined);
  };
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
          if (error instanceof ErrorReply) {
            isSilent = false;
            if (/^READONLY\b/.test(error.message)) leaveReplica();
          }
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
  RootNodesUnavailableError,
  MaxCommandRedirectionsError,
  RedisSilentError,
  ReplicasMissingError,
];
const SOCKET_CODES = /^(?:ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
/**
 * Replies of a Redis that is loading, has lost its primary or its replicas, cannot write its file, is out of memory, or
 * does not serve this part of the keys now.
 */
const REPLIES =
  /^(?:LOADING|MASTERDOWN|READONLY|NOREPLICAS|UNBLOCKED|MISCONF|OOM|CLUSTERDOWN|TRYAGAIN|BUSY|MOVED|ASK)\b/;

/** True if Redis refused a command and would refuse it again: a script that fails, or a key of another type. */
export function isRedisRefusal(error: unknown): boolean {
  return error instanceof ErrorReply && !isRedisAway(error) && !/^NOSCRIPT\b/.test(error.message);
}

/** True if a command failed because Redis is unreachable for the moment. Redis may still have executed it. */
export function isRedisAway(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if (error instanceof ErrorReply) return REPLIES.test(error.message);
  if (CONNECTION_ERRORS.some((kind) => error instanceof kind)) return true;
  return 'code' in error && typeof error.code === 'string' && SOCKET_CODES.test(error.code);
}
