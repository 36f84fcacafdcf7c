/** Logs as they lie in Redis, read past the product. */
import { createClient, createCluster } from 'redis';
import type { GenerationEvent } from '../../../contracts/events.ts';

type OneRedis = ReturnType<typeof createClient>;
export type Redis = Pick<OneRedis, 'keys' | 'type' | 'get' | 'hGetAll' | 'xRange' | 'zRange' | 'del'>;

const CONNECT_MS = 5_000;

/** @param url of one Redis, or of nodes of a cluster, separated by commas. */
export async function withRedis<Value>(url: string, use: (redis: Redis) => Promise<Value>): Promise<Value> {
  const urls = url.split(',');
  if (urls.length > 1) return await withCluster(urls, use);
  const redis = createClient({ url, socket: { connectTimeout: CONNECT_MS } });
  // A Redis that is down makes the command fail, which is what callers look at.
  redis.on('error', () => undefined);
  await redis.connect();
  try {
    return await use(redis as Redis);
  } finally {
    redis.destroy();
  }
}

async function withCluster<Value>(
  urls: readonly string[],
  use: (redis: Redis) => Promise<Value>,
): Promise<Value> {
  const cluster = createCluster({
    rootNodes: urls.map((url) => ({ url })),
    RESP: 2,
    // One that is down would be waited for.
    minimizeConnections: true,
    defaults: { socket: { connectTimeout: CONNECT_MS } },
  });
  cluster.on('error', () => undefined);
  await cluster.connect();
  const keys = async (pattern: string) => {
    const found = await Promise.all(
      cluster.masters.map(async (master) => (await cluster.nodeClient(master)).keys(pattern)),
    );
    // While slots move, a key may be seen at both nodes.
    return [...new Set(found.flat())];
  };
  try {
    return await use(Object.assign(cluster, { keys }) as unknown as Redis);
  } finally {
    cluster.destroy();
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
  return await redis.keys(`ub:log:{${generationId}}:*`);
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
