import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type GenerationEvent, textOf } from '../../contracts/events.ts';
import { workflowId } from '../../contracts/names.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Reading, startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, streamingWorker, temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

const PLAN = { tokens: 250, delayMs: 8 };
const MODEL = 'simulated/sim-large';
let stack: Stack;

beforeAll(async () => {
  const prices = { 'simulated/sim-large': { inputMicroUsdPerMillion: 1e6, outputMicroUsdPerMillion: 7e6 } };
  stack = await startStack({ workers: 2, config: { prices } });
});
afterAll(async () => {
  await stack?.stop();
  await closeTemporalClients();
});
beforeEach(() => stack.sim.forget());
afterEach(() => stack.sim.clearFaults());

async function begin(input: string): Promise<Reading> {
  const { status, body } = await stack.api.create({ input, model: MODEL });
  expect(status).toBe(201);
  return startReading(stack.api, body.id);
}

/** One that leads, and then some that join it. */
async function beginFlight(followers: number): Promise<{ leader: Reading; rest: Reading[]; input: string }> {
  const input = promptOf(PLAN);
  const leader = await begin(input);
  await leader.deltas(3);
  const rest = await Promise.all(Array.from({ length: followers }, () => begin(input)));
  for (const one of rest) await joined(one);
  return { leader, rest, input };
}

function joined(reading: Reading): Promise<GenerationEvent> {
  return waitFor('it follows', () => reading.events.find(({ type }) => type === 'cache-join'));
}

function endOf(events: readonly GenerationEvent[]) {
  const last = events.at(-1);
  if (last?.type !== 'generation-end') throw new Error(`the last event is ${JSON.stringify(last)}`);
  return last;
}

async function expectWhole(readings: readonly Reading[], input: string): Promise<void> {
  const { text } = await stack.sim.text(input);
  for (const reading of readings) {
    const events = await reading.whole;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe(text);
    expect(events.at(-1)?.type).toBe('generation-end');
  }
}

const settled = async (id: string) => {
  const temporal = await temporalClient(stack.env);
  return temporal.workflow.getHandle(workflowId('dev', id)).result();
};

describe('generations that ask the same at the same time', () => {
  test('share one call of the provider: each reader has the whole text, and the parts add up to its cost', async () => {
    const { leader, rest, input } = await beginFlight(3);
    await expectWhole([leader, ...rest], input);
    expect(await stack.sim.calls()).toHaveLength(1);
    const ends = await Promise.all([leader, ...rest].map(async ({ whole }) => endOf(await whole)));
    const { tokens } = await stack.sim.text(input);
    expect(ends.reduce((sum, end) => sum + end.usage.outputTokens, 0)).toBe(tokens);
    const [first, ...others] = ends;
    for (const other of others) {
      expect(other).toMatchObject({ shared: { by: 4 }, costMicroUsd: first?.shared?.costMicroUsd });
    }
    // What was booked is what the events say.
    for (const [index, reading] of [leader, ...rest].entries()) {
      expect(await settled(reading.id)).toMatchObject({ costMicroUsd: ends[index]?.costMicroUsd });
    }
  });

  test('in other words share it too', async () => {
    const [, plan] = /(\[\[.*\]\])/.exec(promptOf(PLAN)) ?? [];
    const topic = `widget number ${Date.now()}`;
    const leader = await begin(`How do I return the ${topic}? ${plan}`);
    await leader.deltas(3);
    const other = await begin(`What is the best way to return the ${topic}? ${plan}`);
    expect(await joined(other)).toMatchObject({ leader: leader.id, similarity: expect.any(Number) });
    await Promise.all([leader.whole, other.whole]);
    expect(other.text()).toBe(leader.text());
    expect(await stack.sim.calls()).toHaveLength(1);
  });

  test('a follower that is cancelled ends alone, pays nothing, and harms nobody', async () => {
    const { leader, rest, input } = await beginFlight(2);
    const [cancelled, other] = rest;
    if (cancelled === undefined || other === undefined) throw new Error('two follow');
    await stack.api.cancel(cancelled.id);
    const events = await cancelled.whole;
    expect(faultsOf(events)).toEqual([]);
    expect(events.at(-1)).toMatchObject({ type: 'generation-cancel', costMicroUsd: 0 });
    await expectWhole([leader, other], input);
    expect(endOf(await other.whole)).toMatchObject({ shared: { by: 2 } });
    expect(await stack.sim.calls()).toHaveLength(1);
  });

  test('a leader that is cancelled leaves its followers, who go on by themselves', async () => {
    const { leader, rest, input } = await beginFlight(1);
    await stack.api.cancel(leader.id);
    expect((await leader.whole).at(-1)?.type).toBe('generation-cancel');
    await expectWhole(rest, input);
    const events = (await rest[0]?.whole) ?? [];
    expect(events.find(({ type }) => type === 'cache-leave')).toMatchObject({ reason: 'generation-cancel' });
    expect(endOf(events)).toMatchObject({ cached: false, attempts: 1 });
  });

  test('a leader whose provider fails for good leaves its followers, who go on by themselves', async () => {
    const input = promptOf(PLAN);
    await stack.sim.fault({ kind: 'content-filter', afterTokens: 100 });
    const leader = await begin(input);
    await leader.deltas(3);
    const follower = await begin(input);
    await joined(follower);
    const { text } = await stack.sim.text(input);
    expect((await leader.whole).at(-1)?.type).toBe('generation-error');
    const events = await follower.whole;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe(text);
    expect(events.some(({ type }) => type === 'cache-leave')).toBe(true);
  });

  test('a worker that is killed under leader and followers: each reader still has every token once', async () => {
    const { leader, rest, input } = await beginFlight(2);
    const seat = await waitFor('a worker has the stream', () => streamingWorker(stack, leader.id));
    await seat.kill();
    await seat.restart();
    await expectWhole([leader, ...rest], input);
    for (const { whole } of rest) expect(endOf(await whole)).toMatchObject({ shared: { by: 3 } });
  });

  test('those that want none of it call the provider each', async () => {
    const input = promptOf({ tokens: 60, delayMs: 5 });
    const all = await Promise.all(
      (['off', 'write', 'refresh'] as const).map((cache) => stack.api.create({ input, model: MODEL, cache })),
    );
    await Promise.all(all.map(({ body }) => startReading(stack.api, body.id).whole));
    expect(await stack.sim.calls()).toHaveLength(3);
  });
});
