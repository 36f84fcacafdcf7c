/** Opens Redis where the config says that it is. */
import type { RedisPlace } from '../config/redis-schema.ts';
import { connectCluster } from './cluster-client.ts';
import type { ClientOptions, RedisClient } from './redis-client.ts';
import { connectRedis } from './redis-connection.ts';
import { confirmOnReplicas } from './replica-confirmation.ts';
import { connectThroughSentinels } from './sentinel-client.ts';

/** Resolves once it is reached. */
export async function openRedis(place: RedisPlace, options: ClientOptions): Promise<RedisClient> {
  if (place.kind === 'cluster') return connectCluster(place.urls, options);
  if (place.kind === 'sentinel') return connectThroughSentinels(place, options);
  const connection = await connectRedis(place.url, options.onError, options.answerMs);
  if (options.replicas !== undefined) confirmOnReplicas(connection, options.replicas, options);
  return connection;
}

/**
 * @returns `redis`, and `kept` for what must outlive a failover: logs, budgets, keys, prompts and conversations. They
 * are the same unless `redis.waitForReplicas` is set.
 */
export async function openRedisPair(
  place: RedisPlace,
  options: ClientOptions,
): Promise<{ readonly redis: RedisClient; readonly kept: RedisClient }> {
  const { replicas, ...unconfirmed } = options;
  const redis = await openRedis(place, unconfirmed);
  return { redis, kept: replicas === undefined ? redis : await openRedis(place, options) };
}
