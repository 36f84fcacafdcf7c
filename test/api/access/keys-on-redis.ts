/** API keys as two API processes have them: each with its own connections to the same Redis. */
import { ApiKeys } from '../../../api/access/api-keys.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../../engine/streaming/redis-server.ts';

export interface KeysOnRedis {
  readonly server: TestRedis;
  readonly redis: RedisConnection;
  readonly here: ApiKeys;
  readonly there: ApiKeys;
  stop(): Promise<void>;
}

export async function startKeys(): Promise<KeysOnRedis> {
  const server = await startTestRedis();
  const fail = (error: unknown) => {
    throw error;
  };
  const create = async () => ApiKeys.create(await server.connect(), await server.connect(), fail);
  const [redis, here, there] = await Promise.all([server.connect(), create(), create()]);
  return { server, redis, here, there, stop: () => server.stop() };
}
