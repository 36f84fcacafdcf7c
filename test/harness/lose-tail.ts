import { REDIS_KEYS } from '../../contracts/names.ts';
import { encodeEvents } from '../../engine/streaming/event-codec.ts';
import { eventsInEntry } from '../../engine/streaming/log-entry.ts';
import type { RedisConnection } from '../../platform/redis/redis-connection.ts';

/** What Redis has after a power cut: the first appends of a log, at most `most` and never the last one. */
export async function loseTail(
  redis: RedisConnection,
  id: string,
  most = Number.MAX_SAFE_INTEGER,
): Promise<void> {
  const [meta, stream] = [REDIS_KEYS.logMeta(id), REDIS_KEYS.logStream(id)];
  await writeEventByEvent(redis, id);
  const ids = ((await redis.xRange(stream, '-', '+')) ?? []).map((entry) => entry.id);
  // A busy machine writes many events in one batch.
  const kept = Math.min(most, ids.length - 1);
  const last = ids[kept - 1] ?? '';
  await redis.xDel(stream, ids.slice(kept));
  await redis.sendCommand(['XSETID', stream, last]);
  await redis.hSet(meta, { status: 'running', next: Number(last.split('-')[1]) + 1 });
  await redis.hDel(meta, 'endedAt');
}

/** As if the log had not been packed, nor several events been written in one append. */
async function writeEventByEvent(redis: RedisConnection, id: string): Promise<void> {
  const [meta, stream] = [REDIS_KEYS.logMeta(id), REDIS_KEYS.logStream(id)];
  const entries = (await redis.xRange(stream, '-', '+')) ?? [];
  const events = entries.flatMap((entry) => eventsInEntry(entry.id, entry.message));
  await redis.del(stream);
  for (const { seq, at, ...body } of events) {
    await redis.xAdd(stream, `1-${seq}`, { at: String(at), events: encodeEvents([body]) });
  }
  await redis.hDel(meta, 'packed');
}
