import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readRecord } from '../../activities/generation-record.ts';
import { lookUpCache, replayAnswer } from '../../activities/look-up-cache.ts';
import { storeAnswer } from '../../activities/store-answer.ts';
import type { EventBody } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import type { GenerationInput } from '../../contracts/generation.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { usedSoFar } from '../../contracts/used-so-far.ts';
import type { AnswerCache, AnswerToStore, CacheLookUp } from '../../engine/cache/answer-cache.ts';
import type { EventLog } from '../../engine/streaming/event-log.ts';
import { RedisEventLog } from '../../engine/streaming/redis-event-log.ts';
import { startTestRedis, type TestRedis } from '../engine/streaming/redis-server.ts';
import { FIRST, orderOf, outcomeWith } from '../workflows/workflow-environment.ts';

const TEXT = 'The whole answer.';
const hits: Pick<AnswerCache, 'lookUp'> = {
  lookUp: async () => ({
    outcome: 'hit',
    answer: {
      text: TEXT,
      provider: 'p',
      model: 'm',
      finishReason: 'stop',
      usage: NO_USAGE,
      storedAtMs: 1,
      entryId: 'entry',
      questionId: 'entry',
      similarity: 1,
      matchedBy: 'same-words',
    },
  }),
};
const notAsked = async () => {
  throw new Error('not implemented');
};
const cache: AnswerCache = {
  ...hits,
  lookUpBest: notAsked,
  store: notAsked,
  replace: notAsked,
  warmUp: notAsked,
};
const settings = {
  acceptedFalseHits: 0.01,
  ttlMs: 1_000,
  judge: false,
  singleFlight: true,
  share: 'user',
} as const;
const outputs = { check: async () => ({ result: 'fits' as const }) };
let redis: TestRedis;
let log: EventLog;

beforeAll(async () => {
  redis = await startTestRedis();
  log = new RedisEventLog(await redis.connect(), { retentionMs: 60_000 });
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
    lookUpCache({ cache, cacheSettings: () => settings, log, outputs }, order, {
      input,
      events: await read(),
    });
  return {
    order,
    read,
    lookUp,
    replay: (found: CacheLookUp) => replayAnswer({ log, priceOf: () => 7 }, order, found),
  };
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

  test('ends by the stop sequence by which it ended when it was stored', async () => {
    const { order } = await begun([
      { type: 'provider-start', ...FIRST, attempt: 1, strategy: 'start' },
      { type: 'text-delta', text: TEXT },
      {
        type: 'generation-end',
        ...FIRST,
        finishReason: 'stop',
        stopSequence: 'END',
        attempts: 1,
        cached: false,
        usage: NO_USAGE,
        costMicroUsd: 3,
      },
    ]);
    const stored: AnswerToStore[] = [];
    const keeping = { ...cache, store: async (_: unknown, answer: AnswerToStore) => stored.push(answer) > 0 };
    const dependencies = {
      cache: keeping,
      cacheSettings: () => settings,
      flights: { forget: async () => undefined },
      log,
      outputs,
    };
    const store = storeAnswer(dependencies as unknown as Parameters<typeof storeAnswer>[0]);
    await store({ order, outcome: outcomeWith() });
    const { replay, read } = await begun([]);
    const match = { entryId: 'entry', questionId: 'entry', similarity: 1, matchedBy: 'same-words' } as const;
    await replay({ outcome: 'hit', answer: { ...(stored[0] ?? failed('nothing was stored')), ...match } });
    expect((await read()).at(-1)).toMatchObject({ type: 'generation-end', stopSequence: 'END' });
  });

  test('is not appended to an answer that has begun since the look-up', async () => {
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

test('a stored answer that does not fit the schema of the request is none', async () => {
  const { order } = await begun([]);
  const input: GenerationInput = {
    messages: [{ role: 'user', content: 'Why?' }],
    maxOutputTokens: 100,
    output: { name: 'answer', schema: {} },
    outputCheck: { attempts: 2 },
  };
  const lookUpWith = async (result: 'fits' | 'unfit') => {
    const outputs = {
      check: async () => (result === 'fits' ? { result } : { result, faults: [{ path: '', message: '' }] }),
    };
    const found = await lookUpCache({ cache, cacheSettings: () => settings, log, outputs }, order, {
      input,
      events: [],
    });
    return found?.outcome;
  };
  expect(await lookUpWith('fits')).toBe('hit');
  expect(await lookUpWith('unfit')).toBe('miss');
});

describe('a judge that was asked', () => {
  const call = {
    provider: 'p',
    model: 'small',
    costMicroUsd: 9,
    usage: { ...NO_USAGE, inputTokens: 9, estimated: true },
  };
  const judgement = { ...call, same: false, usage: { ...NO_USAGE, inputTokens: 5 }, costMicroUsd: 5 };
  let calls = 0;
  /** Asks a judge, as far as it may, which says no. */
  const judging: AnswerCache = {
    ...cache,
    async lookUp(_question, _limits, noteJudge) {
      if (noteJudge === undefined || !(await noteJudge(call))) return { outcome: 'miss' };
      calls += 1;
      return { outcome: 'miss', judgement };
    },
  };
  const lookUpWith = async ({ order, read }: Awaited<ReturnType<typeof begun>>, answers = judging) => {
    const { input } = {
      input: { messages: [{ role: 'user', content: 'Why?' }], maxOutputTokens: 100 } as const,
    };
    const stored = { input, events: await read() };
    return (
      (await lookUpCache({ cache: answers, cacheSettings: () => settings, log, outputs }, order, stored)) ??
      failed('none')
    );
  };
  const spent = async ({ read }: Awaited<ReturnType<typeof begun>>) => {
    const events = await read();
    const { usage, costMicroUsd } = readRecord(events);
    expect(usedSoFar(events)).toEqual({ usage, costMicroUsd });
    return { usage, costMicroUsd };
  };

  test('is paid by what it used', async () => {
    const generation = await begun([]);
    expect(await generation.replay(await lookUpWith(generation))).toBeNull();
    expect(await spent(generation)).toEqual({ usage: judgement.usage, costMicroUsd: 5 });
  });

  test('by a process that died before it wrote the judgement, is paid as estimated and not asked again', async () => {
    const generation = await begun([]);
    calls = 0;
    await lookUpWith(generation);
    expect(calls).toBe(1);
    // Died: nothing was replayed.
    expect(await spent(generation)).toEqual({ usage: call.usage, costMicroUsd: 9 });
    expect(await generation.replay(await lookUpWith(generation))).toBeNull();
    expect(calls).toBe(1);
    expect(await spent(generation)).toEqual({ usage: call.usage, costMicroUsd: 9 });
  });

  test('by a process that died, is paid also by an answer from the cache', async () => {
    const generation = await begun([]);
    await lookUpWith(generation);
    expect(await generation.replay(await lookUpWith(generation, cache))).toMatchObject({
      status: 'completed',
      cached: true,
      usage: call.usage,
      costMicroUsd: 9,
    });
    expect((await generation.read()).filter(({ type }) => type === 'cache-judge')).toHaveLength(1);
  });
});

function failed(message: string): never {
  throw new Error(message);
}
