/** Everything that Temporal and Redis hold, as text that can be searched. */
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';
import { temporalClient } from './streaming-worker.ts';

/** The histories and descriptions of these workflows, payloads as the text that their bytes are. */
export async function temporalText(
  env: Readonly<Record<string, string>>,
  workflowIds: readonly string[],
): Promise<string> {
  const { workflow } = await temporalClient(env);
  const found: string[] = [];
  for (const id of workflowIds) {
    const handle = workflow.getHandle(id);
    collect(await handle.fetchHistory(), found);
    collect((await handle.describe()).raw, found);
  }
  return found.join('\n');
}

/** The names of all keys, and their values where `wanted` says so. */
export async function redisText(
  redis: RedisConnection,
  wanted: (name: string) => boolean = () => true,
): Promise<string> {
  const found: string[] = [];
  for await (const names of redis.scanIterator({ COUNT: 1_000 })) {
    for (const name of names) {
      found.push(name);
      if (wanted(name)) found.push(await valueAt(redis, name));
    }
  }
  return found.join('\n');
}

async function valueAt(redis: RedisConnection, name: string): Promise<string> {
  const type = await redis.type(name);
  if (type === 'string') return (await redis.get(name)) ?? '';
  if (type === 'hash') return JSON.stringify(await redis.hGetAll(name));
  if (type === 'stream') return JSON.stringify(await redis.xRange(name, '-', '+'));
  if (type === 'zset') return JSON.stringify(await redis.zRange(name, 0, -1));
  if (type === 'set') return JSON.stringify(await redis.sMembers(name));
  if (type === 'list') return JSON.stringify(await redis.lRange(name, 0, -1));
  return '';
}

function collect(value: unknown, found: string[]): void {
  if (typeof value === 'string') found.push(value);
  else if (value instanceof Uint8Array) found.push(Buffer.from(value).toString('utf8'));
  else if (typeof value === 'object' && value !== null) {
    for (const [key, field] of Object.entries(value)) {
      found.push(key);
      collect(field, found);
    }
  }
}
