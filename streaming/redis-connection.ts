/** Connections to Redis for the log. A command that is sent while Redis restarts waits for it. */
import { createClient } from 'redis';

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
