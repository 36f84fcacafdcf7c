import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readView } from '../../../api/generations/generation-view.ts';
import type { EventBody } from '../../../contracts/events.ts';
import type { GenerationView } from '../../../contracts/generation.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import type { EventLog } from '../../../engine/streaming/event-log.ts';
import { type LogRedis, RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from './redis-server.ts';

let server: TestRedis;
let redis: RedisConnection;
let log: EventLog;
/** Events that were read from Redis. */
let eventsRead = 0;
beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
  const counting: LogRedis = Object.assign(Object.create(redis), {
    xRange: async (...args: Parameters<LogRedis['xRange']>) => {
      const entries = await redis.xRange(...args);
      for (const { id } of entries ?? []) eventsRead = Math.max(eventsRead, Number(id.split('-')[1]) + 1);
      return entries;
    },
  });
  log = new RedisEventLog(counting, { retentionMs: 60_000 });
});
afterAll(() => server?.stop());

const MODEL = { provider: 'sim', model: 'm' };
const USAGE = { ...NO_USAGE, inputTokens: 5, outputTokens: 7 };
const END: EventBody = {
  type: 'generation-end',
  ...MODEL,
  finishReason: 'length',
  attempts: 2,
  cached: false,
  usage: USAGE,
  costMicroUsd: 12,
};
const ERROR: EventBody = {
  type: 'generation-error',
  error: { code: 'internal', message: 'no', doc: '/' },
  attempts: 1,
  usage: USAGE,
  costMicroUsd: 3,
};
const start = (attempt: number): EventBody => ({
  type: 'provider-start',
  ...MODEL,
  attempt,
  strategy: 'start',
});
const texts = (count: number): EventBody[] =>
  Array.from({ length: count }, () => ({ type: 'text-delta', text: 'ab ' }));

async function logOf(generationId: string, events: readonly EventBody[]): Promise<string> {
  const input = { messages: [{ role: 'user' as const, content: 'hello' }], maxOutputTokens: 10 };
  await log.create({
    generationId,
    tenant: 'acme',
    user: 'ann',
    route: 'default',
    requestHash: '',
    metadata: { a: 'b' },
    input,
  });
  const { writer } = await log.open(generationId, 1);
  for (const event of events) await writer.write(event);
  await writer.flush();
  return generationId;
}

/** Leaves what code wrote that kept no view. @returns how many fields the view had. */
async function forgetView(id: string): Promise<number> {
  const meta = REDIS_KEYS.logMeta(id);
  const fields = (await redis.hKeys(meta)).filter((name) => name.startsWith('view:'));
  return redis.hDel(meta, fields);
}

describe('a generation in a list', () => {
  test.each<[string, readonly EventBody[], Partial<GenerationView>]>([
    ['that has just begun', [], { attempts: 0, model: null, usage: null, finishReason: null }],
    ['that waits for its first token', [start(1)], { attempts: 1, ...MODEL, usage: null }],
    ['that writes', [start(1), ...texts(30)], { attempts: 1, ...MODEL }],
    [
      'that has reported its usage',
      [
        start(1),
        ...texts(3),
        { type: 'usage-update', ...MODEL, attempt: 1, usage: USAGE, costMicroUsd: 2 },
        ...texts(3),
      ],
      { attempts: 1, usage: USAGE, costMicroUsd: 2 },
    ],
    [
      'that has ended',
      [start(1), ...texts(3), start(2), ...texts(3), END],
      { attempts: 2, usage: USAGE, costMicroUsd: 12, finishReason: 'length' },
    ],
    ['that failed', [start(1), ERROR], { attempts: 1, usage: USAGE, costMicroUsd: 3 }],
    [
      'that continues another',
      [{ type: 'generation-continue', generationId: 'gen_0', chars: 3 }, ...texts(1), start(1)],
      { attempts: 1, continues: 'gen_0' },
    ],
  ])('%s is shown as its log says, and its log is not read', async (what, events, shown) => {
    const id = await logOf(`gen_${what.replaceAll(' ', '_')}`, events);
    const { text, ...whole } = (await readView(log, id, { withText: true })) ?? {};
    expect(whole).toMatchObject(shown);
    expect(text).toBe(events.flatMap((event) => ('text' in event ? [event.text] : [])).join(''));
    eventsRead = 0;
    expect(await readView(log, id, { withText: false })).toEqual({ ...whole, text: null });
    expect(eventsRead).toBe(0);
  });

  test('that was begun by code that kept no view is read from its log', async () => {
    const id = await logOf('gen_old', [start(1), ...texts(3), END]);
    const before = await readView(log, id, { withText: false });
    expect(await forgetView(id)).toBeGreaterThan(5);
    expect(await readView(log, id, { withText: false })).toEqual(before);
  });
});

describe('a long log', () => {
  const DELTAS = 20_000;

  test('is read for a relay in pages of a bounded number of events, regardless of the size of an entry', async () => {
    const id = await logOf('gen_long', texts(DELTAS));
    const entries = await redis.xLen(REDIS_KEYS.logStream(id));
    expect(DELTAS / entries).toBeGreaterThan(100);
    for (const after of [-1, 0, 700, DELTAS - 5]) {
      const page = await log.read(id, after, LIMITS.entriesPerRead);
      expect(page.length).toBeLessThanOrEqual(LIMITS.eventsPerRead);
      expect(page[0]?.seq).toBe(after + 1);
      expect(page.every(({ seq }, index) => seq === after + 1 + index)).toBe(true);
    }
    expect(await log.read(id, DELTAS, LIMITS.entriesPerRead)).toEqual([]);
  });

  test('whose next entry alone is over the limit is read nevertheless', async () => {
    const id = await logOf('gen_wide', texts(2));
    await log.appendOnce(id, 'replay', texts(3 * LIMITS.eventsPerRead));
    const { nextSeq } = (await log.head(id)) ?? { nextSeq: 0 };
    expect(await log.read(id, 2, LIMITS.entriesPerRead)).toHaveLength(3 * LIMITS.eventsPerRead);
    expect((await log.readMerged(id)).at(-1)?.seq).toBe(nextSeq - 1);
  });

  test('merged has the same text in far fewer events', async () => {
    const merged = await log.readMerged('gen_long');
    expect(merged.length).toBeLessThan(100);
    expect(merged.map((event) => ('text' in event ? event.text : '')).join('')).toBe('ab '.repeat(DELTAS));
    expect(await log.readMerged('gen_long', DELTAS)).toEqual([]);
  });
});
