import { REDIS_KEYS } from '../../contracts/names.ts';
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';

/** What Redis has after a power cut: the first appends of a log, at most `most` and never the last one. */
export async function loseTail(
  redis: RedisConnection,
  id: string,
  most = Number.MAX_SAFE_INTEGER,
): Promise<void> {
  const [meta, stream] = [REDIS_KEYS.logMeta(id), REDIS_KEYS.logStream(id)];
  const ids = ((await redis.xRange(stream, '-', '+')) ?? []).map((entry) => entry.id);
  // A busy machine writes many events in one batch.
  const kept = Math.min(most, ids.length - 1);
  const last = ids[kept - 1] ?? '';
  await redis.xDel(stream, ids.slice(kept));
  await redis.sendCommand(['XSETID', stream, last]);
  await redis.hSet(meta, { status: 'running', next: Number(last.split('-')[1]) + 1 });
  await redis.hDel(meta, 'endedAt');
}
