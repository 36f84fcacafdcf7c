/**
 * What still works while a service is unreachable, or has just come back. They are killed here, so this suite has its
 * own.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { textOf } from '../../contracts/fold-events.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import type { Seat } from '../harness/stack.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';
import { buildStage, type Stage } from '../prove/matrix/stage.ts';

const WAIT_MS = 2_500;
const REDIS_MS = 1_500;
let stage: Stage;
let api: UnbrokenApi;
let temporal: Seat;
let qdrant: Seat;
let redis: Seat;

beforeAll(async () => {
  stage = await buildStage({
    submit: { waitForTemporalMs: WAIT_MS },
    limits: { redisAnswerMs: REDIS_MS },
  });
  api = connectApi(stage.apis[0] ?? '', stage.devKey);
  const [aTemporal] = stage.seats.temporal;
  const [aQdrant] = stage.seats.qdrant;
  const [aRedis] = stage.seats.redis;
  if (aTemporal === undefined || aQdrant === undefined || aRedis === undefined)
    throw new Error('the stage is empty');
  temporal = aTemporal;
  qdrant = aQdrant;
  redis = aRedis;
});
afterAll(() => stage?.stop());

async function expectWhole(input: string, cache: 'on' | 'off') {
  const expected = await stage.sim.text(input);
  const { status, body } = await api.createOnce({ input, cache });
  expect(status).toBe(201);
  const events = await startReading(api, body.id).whole;
  expect(faultsOf(events)).toEqual([]);
  expect(textOf(events)).toBe(expected.text);
  return events.at(-1);
}

describe('without Temporal', () => {
  test('a stream that runs continues, new ones get a 503 that says when, and both are well when it is back', async () => {
    const input = promptOf({ tokens: 900, delayMs: 10 });
    const expected = await stage.sim.text(input);
    const { body } = await api.createOnce({ input, cache: 'off' });
    const reading = startReading(api, body.id);
    await reading.deltas(20);
    await temporal.kill();
    const before = reading.text().length;
    const refused = await api.createOnce({ input: promptOf({ tokens: 10 }), cache: 'off' }, 'while-away');
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.body.error).toMatchObject({ code: 'service_unavailable' });
    await waitFor('text that came without Temporal', () => reading.text().length > before);
    await temporal.restart();
    const again = await api.submit({ input: promptOf({ tokens: 10 }), cache: 'off' });
    expect((await startReading(api, again.id).whole).at(-1)?.type).toBe('generation-end');
    const events = await reading.whole;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe(expected.text);
  });

  test('a request waits for one that is back within the time that is set', async () => {
    await temporal.freeze();
    const pending = api.createOnce({ input: promptOf({ tokens: 10 }), cache: 'off' });
    const first = await Promise.race([pending, new Promise((resolve) => setTimeout(resolve, WAIT_MS / 3))]);
    expect(first).toBeUndefined();
    await temporal.thaw();
    expect((await pending).status).toBe(201);
  });

  test('a request to a server that is stopped is answered in time, not held for ever', async () => {
    await temporal.freeze();
    const { status } = await api.createOnce({ input: promptOf({ tokens: 10 }), cache: 'off' });
    await temporal.thaw();
    expect(status).toBe(503);
  });
});

describe('with a Redis that is frozen', () => {
  test('requests get their 503 in time, and a stream that runs continues when it is thawed, with nothing twice', async () => {
    const input = promptOf({ tokens: 600, delayMs: 10 });
    const expected = await stage.sim.text(input);
    const body = await api.submit({ input, cache: 'off' });
    const reading = startReading(api, body.id);
    // One connection, as of a client that does not come back by itself.
    const once = api.readOnce(body.id, -1);
    await reading.deltas(30);
    await redis.freeze();
    const frozenAtMs = Date.now();
    // All answers are awaited while Redis is frozen: one that waited for it would never come.
    const answered = async (ask: Promise<{ status: number; headers: Headers }>) => {
      const { status, headers } = await ask;
      return { status, retryAfter: Number(headers.get('retry-after')) };
    };
    const answers: Awaited<ReturnType<typeof answered>>[] = [];
    while (Date.now() < frozenAtMs + 3 * REDIS_MS) {
      const round = await Promise.all([
        answered(api.createOnce({ input: promptOf({ tokens: 10 }), cache: 'off' })),
        answered(api.view(body.id)),
        answered(api.send(`/v1/generations/${body.id}/events`)),
      ]);
      answers.push(...round);
      await new Promise((resolve) => setTimeout(resolve, REDIS_MS / 10));
    }
    await redis.thaw();
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(Math.min(...answers.map(({ retryAfter }) => retryAfter))).toBeGreaterThan(0);
    for (const events of [await reading.whole, await once]) {
      expect(faultsOf(events)).toEqual([]);
      expect(textOf(events)).toBe(expected.text);
    }
    const calls = await stage.sim.calls();
    expect(calls.filter(({ outputTokensGenerated: count }) => count === expected.tokens)).toHaveLength(1);
    const again = await api.submit({ input: promptOf({ tokens: 10 }), cache: 'off' });
    expect((await startReading(api, again.id).whole).at(-1)?.type).toBe('generation-end');
  });
});

describe('a provider that was restarted', () => {
  test('has forgotten the answer: it continues from the delivered text, and what was lost is booked by estimate', async () => {
    const [provider] = stage.seats.provider;
    // It is silent until it is killed, however late this test is.
    const input = promptOf({ tokens: 300, delayMs: 10, silence: { afterTokens: 150, ms: 60_000 } });
    const expected = await stage.sim.text(input);
    const body = await api.submit({ input, model: 'simulated/sim-large', cache: 'off' });
    const reading = startReading(api, body.id);
    await reading.deltas(80);
    // The workers are not to notice before it is up again, and so spend no attempt on a provider that is down.
    const wires = stage.wires.filter(({ name }) => /^worker \d - provider$/.test(name));
    for (const wire of wires) wire.harm({ kind: 'drop' });
    await provider?.kill();
    await provider?.restart();
    for (const wire of wires) wire.mend();
    const events = await reading.whole;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe(expected.text);
    const lost = events.find((event) => event.type === 'provider-error' && !event.resumable);
    expect(lost).toMatchObject({ code: 'provider_response_lost', usage: { estimated: true } });
    expect(lost?.type === 'provider-error' && lost.usage.outputTokens).toBeGreaterThan(20);
  });
});

describe('without Qdrant', () => {
  test('there is no cache, and all else works', async () => {
    const input = promptOf({ tokens: 40, delayMs: 2 });
    await qdrant.kill();
    for (const repeated of [input, promptOf({ tokens: 30, delayMs: 2 })])
      expect(await expectWhole(repeated, 'on')).toMatchObject({ type: 'generation-end', cached: false });
    await qdrant.restart();
    await waitFor('an answer from the cache', async () => {
      const end = await expectWhole(input, 'on');
      return end?.type === 'generation-end' && end.cached;
    });
  });
});
