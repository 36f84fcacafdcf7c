/** What Redis has done and holds. Counts are since its start. */
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';

const SCANNED_AT_A_TIME = 1_000;

export interface RedisUse {
  readonly commands: number;
  /** Over its connections, both ways. */
  readonly networkBytes: number;
  readonly memoryBytes: number;
}

export async function redisUse(redis: RedisConnection): Promise<RedisUse> {
  const info = await redis.info();
  const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? Number.NaN);
  return {
    commands: field('total_commands_processed'),
    networkBytes: field('total_net_input_bytes') + field('total_net_output_bytes'),
    memoryBytes: field('used_memory'),
  };
}

export async function keysLike(redis: RedisConnection, pattern: string): Promise<string[]> {
  const found = new Set<string>();
  for await (const some of redis.scanIterator({ MATCH: pattern, COUNT: SCANNED_AT_A_TIME }))
    for (const key of some) found.add(key);
  return [...found];
}

/** Exact, of keys with all that they hold; a key that is gone counts nothing. */
export async function bytesOf(redis: RedisConnection, keys: readonly string[]): Promise<number> {
  const sizes = await Promise.all(keys.map((key) => redis.memoryUsage(key, { SAMPLES: 0 })));
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}
