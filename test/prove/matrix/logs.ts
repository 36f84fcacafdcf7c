/** Logs as they lie in Redis, read past the product. */
import { inflateRawSync } from 'node:zlib';
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

/** One entry of the stream is a batch, or, once the log has ended, many of them; its id has the last number. */
function eventsOf(id: string, fields: Record<string, string>): GenerationEvent[] {
  const { at, events = '[]', packed, deflated } = fields;
  const last = Number(id.split('-')[1]);
  if (deflated !== undefined) {
    const json = inflateRawSync(Buffer.from(deflated, 'base64')).toString('utf8');
    return eventsOfPack(last, JSON.parse(json) as Pack);
  }
  if (packed !== undefined) return eventsOfPack(last, JSON.parse(packed) as Pack);
  const folded = JSON.parse(events) as { type: string; parts?: string[] }[];
  const bodies = folded.flatMap(({ parts, ...event }) =>
    parts === undefined ? [event] : parts.map((text) => ({ ...event, text })),
  );
  const first = last - bodies.length + 1;
  return bodies.map((body, index) => ({ ...body, seq: first + index, at: Number(at) }) as GenerationEvent);
}

/** An entry of an ended log. Runs of numbers are written as one text. */
interface Pack {
  readonly at: number;
  /** Of groups of events with one time: ms since the group before, and how many events. */
  readonly steps: string;
  readonly counts: string;
  readonly events: readonly { readonly type: string; readonly text?: string; readonly lengths?: string }[];
}

function eventsOfPack(last: number, { at, steps, counts, events }: Pack): GenerationEvent[] {
  const bodies = events.flatMap(({ lengths, ...event }) => {
    if (lengths === undefined) return [event];
    let rest = event.text ?? '';
    return numbersIn(lengths).map((length) => {
      const text = rest.slice(0, length);
      rest = rest.slice(length);
      return { ...event, text };
    });
  });
  let time = at;
  const sizes = numbersIn(counts);
  const times = numbersIn(steps).flatMap((step, group) => {
    time += step;
    return Array.from({ length: sizes[group] ?? 0 }, () => time);
  });
  const first = last - bodies.length + 1;
  return bodies.map((body, index) => ({ ...body, seq: first + index, at: times[index] }) as GenerationEvent);
}

/** A digit of 0-9a-zA-Z each; a number that has no such digit is in parentheses, in base 36. */
function numbersIn(text: string): number[] {
  const numbers: number[] = [];
  for (let place = 0; place < text.length; place += 1) {
    const sign = text.charAt(place);
    if (sign === '(') {
      const end = text.indexOf(')', place);
      numbers.push(Number.parseInt(text.slice(place + 1, end), 36));
      place = end;
    } else if (/[A-Z]/.test(sign)) numbers.push(sign.charCodeAt(0) - 'A'.charCodeAt(0) + 36);
    else numbers.push(Number.parseInt(sign, 36));
  }
  return numbers;
}
