/** Logs as they lie in Redis, read past the product. */
import { createClient } from 'redis';
import type { GenerationEvent } from '../../../contracts/events.ts';

export type Redis = ReturnType<typeof createClient>;

export async function withRedis<Value>(url: string, use: (redis: Redis) => Promise<Value>): Promise<Value> {
  const redis = createClient({ url, socket: { connectTimeout: 5_000 } });
  // A Redis that is down makes the command fail, which is what callers look at.
  redis.on('error', () => undefined);
  await redis.connect();
  try {
    return await use(redis as Redis);
  } finally {
    redis.destroy();
  }
}

export async function eventsIn(redis: Redis, generationId: string): Promise<GenerationEvent[]> {
  const entries = (await redis.xRange(`ub:log:{${generationId}}:events`, '-', '+')) ?? [];
  return entries.flatMap(({ id, message }) => eventsOf(id, message));
}

/** null while Redis is unreachable. */
export async function readLog(url: string, generationId: string): Promise<GenerationEvent[] | null> {
  return await withRedis(url, (redis) => eventsIn(redis, generationId)).catch(() => null);
}

/** Ends the retention of this log now. @returns whether it did. */
export async function expireLog(url: string, generationId: string): Promise<boolean> {
  return await withRedis(url, async (redis) => {
    await Promise.all((await keysOf(redis, generationId)).map((key) => redis.del(key)));
    return true;
  }).catch(() => false);
}

/** All that Redis holds of a log, as text. */
export async function remainsOf(redis: Redis, generationId: string): Promise<string> {
  const values = await Promise.all(
    (await keysOf(redis, generationId)).map(async (key): Promise<unknown> => {
      const type = await redis.type(key);
      if (type === 'string') return await redis.get(key);
      if (type === 'hash') return await redis.hGetAll(key);
      if (type === 'stream') return await redis.xRange(key, '-', '+');
      return type;
    }),
  );
  return JSON.stringify(values);
}

async function keysOf(redis: Redis, generationId: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const found of redis.scanIterator({ MATCH: `ub:log:{${generationId}}:*`, COUNT: 10_000 }))
    keys.push(...found);
  return keys;
}

/** One entry of the stream is a batch; its id tells the last number, and runs of deltas lie folded. */
function eventsOf(id: string, { at, events = '[]' }: Record<string, string>): GenerationEvent[] {
  const folded = JSON.parse(events) as { type: string; parts?: string[] }[];
  const bodies = folded.flatMap(({ parts, ...event }) =>
    parts === undefined ? [event] : parts.map((text) => ({ ...event, text })),
  );
  const first = Number(id.split('-')[1]) - bodies.length + 1;
  return bodies.map((body, index) => ({ ...body, seq: first + index, at: Number(at) }) as GenerationEvent);
}
