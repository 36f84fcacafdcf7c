import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { lookUpCache, replayAnswer } from '../../activities/look-up-cache.ts';
import type { AnswerCache, CacheLookUp } from '../../cache/answer-cache.ts';
import { type EventBody, textOf } from '../../contracts/events.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import type { EventLog } from '../../streaming/event-log.ts';
import { createRedisEventLog } from '../../streaming/redis-event-log.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';
import { orderOf } from '../workflows/workflow-environment.ts';

const TEXT = 'The whole answer.';
const hits: Pick<AnswerCache, 'lookUp'> = {
  lookUp: async () => ({
    outcome: 'hit',
    answer: {
      ...{ text: TEXT, provider: 'p', model: 'm', finishReason: 'stop', usage: NO_USAGE },
      ...{ storedAtMs: 1, entryId: 'entry', similarity: 1 },
    },
  }),
};
const notAsked = async () => {
  throw new Error('not implemented');
};
const cache: AnswerCache = {
  ...hits,
  ...{ lookUpBest: notAsked, store: notAsked, replace: notAsked, warmUp: notAsked },
};
const settings = { threshold: 0.5, ttlMs: 1_000, judge: false, singleFlight: true };
let redis: TestRedis;
let log: EventLog;

beforeAll(async () => {
  redis = await startTestRedis();
  log = createRedisEventLog(await redis.connect(), { retentionMs: 60_000 });
});
afterAll(() => redis?.stop());

async function begun(events: readonly EventBody[]) {
  const order = orderOf({ cache: 'on' });
  const { generationId, tenant, user, route } = order;
  const input = { messages: [{ role: 'user', content: 'Why?' }], maxOutputTokens: 100 } as const;
  await log.create({ generationId, tenant, user, route, requestHash: 'hash', metadata: {}, input });
  if (events.length > 0) await log.appendOnce(generationId, 'begun', events);
  const read = () => log.read(generationId, -1);
  const lookUp = async () =>
    lookUpCache({ cache, cacheSettings: () => settings }, order, { input, events: await read() });
  return { ...{ order, read, lookUp }, replay: (found: CacheLookUp) => replayAnswer({ log }, order, found) };
}

describe('a stored answer', () => {
  test('is replayed once, however often that is repeated', async () => {
    const { lookUp, replay, read } = await begun([]);
    const found = (await lookUp()) ?? failed('nothing was looked up');
    const first = await replay(found);
    expect(first).toMatchObject({ status: 'completed', cached: true });
    expect(await replay(found)).toEqual(first);
    expect(textOf(await read())).toBe(TEXT);
  });

  test('is not put behind an answer that has begun since it was looked up', async () => {
    const { order, lookUp, replay, read } = await begun([]);
    const found = (await lookUp()) ?? failed('nothing was looked up');
    const { writer } = await log.open(order.generationId, 1);
    await writer.write({ type: 'text-delta', text: 'The answer of another process' });
    await writer.flush();
    const before = await read();
    expect(await replay(found)).toBeNull();
    expect(await read()).toEqual(before);
  });

  test.each<[string, EventBody[]]>([
    ['text', [{ type: 'text-delta', text: 'The whole' }]],
    ['a leader', [{ type: 'cache-join', leader: 'gen_1', similarity: 1 }]],
    ['a call', [{ type: 'provider-start', provider: 'p', model: 'm', attempt: 1, strategy: 'start' }]],
  ])('is not looked up for a generation that has %s already', async (_name, events) => {
    const { lookUp } = await begun(events);
    expect(await lookUp()).toBeNull();
  });
});

function failed(message: string): never {
  throw new Error(message);
}
