import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { GenerationEvent } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { totalTokens } from '../../contracts/money.ts';
import { workflowId } from '../../contracts/names.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Reading, startReading } from '../harness/reader.ts';
import type { SimulatedCall } from '../harness/simulator.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, streamingWorker, temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

/** The leader's answer is held until its followers have joined. */
const PLAN = { tokens: 400, delayMs: 1, holdAt: 100 };
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
afterEach(async () => {
  await stack.sim.release();
  await stack.sim.clearFaults();
});

async function begin(input: string, options: { deadlineMs?: number } = {}): Promise<Reading> {
  const { id } = await stack.api.submit({ input, model: MODEL, ...options });
  return startReading(stack.api, id);
}

/** One that leads, and then some that join it. */
async function beginFlight(followers: number): Promise<{ leader: Reading; rest: Reading[]; input: string }> {
  const input = promptOf(PLAN);
  const leader = await begin(input);
  await leader.deltas(3);
  const rest = await Promise.all(Array.from({ length: followers }, () => begin(input)));
  for (const follower of rest) await joined(follower);
  return { leader, rest, input };
}

/** It has noted whom it follows; once it copies, it is counted too. */
async function joined(reading: Reading): Promise<GenerationEvent> {
  await reading.deltas(1);
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

const entriesSchema = z.object({
  data: z.array(z.object({ spentTokens: z.int(), spentMicroUsd: z.int() })),
});

/** What the ledger has booked of a generation, which must be what its log says. */
async function bookedFor({ id, whole }: Reading): Promise<{ tokens: number; microUsd: number }> {
  await settled(id);
  const response = await stack.api.send(`/v1/budgets/entries?generation=${id}`);
  const { data } = entriesSchema.parse(await response.json());
  const tokens = data.reduce((sum, entry) => sum + entry.spentTokens, 0);
  const microUsd = data.reduce((sum, entry) => sum + entry.spentMicroUsd, 0);
  const last = (await whole).at(-1);
  if (last === undefined || !('usage' in last)) throw new Error(`${id} has no end`);
  expect({ id, tokens, microUsd }).toEqual({
    id,
    tokens: totalTokens(last.usage),
    microUsd: last.costMicroUsd,
  });
  return { tokens, microUsd };
}

async function bookedForAll(readings: readonly Reading[]): Promise<{ tokens: number; microUsd: number }> {
  const booked = await Promise.all(readings.map(bookedFor));
  return {
    tokens: booked.reduce((sum, entry) => sum + entry.tokens, 0),
    microUsd: booked.reduce((sum, entry) => sum + entry.microUsd, 0),
  };
}

/**
 * What the calls that failed have used, as the log says. A busy machine may interrupt the call of a leader before the
 * id of its response is in the log. That usage can only be estimated, and differs from the provider's bill.
 */
function usedByFailed(events: readonly GenerationEvent[]): { tokens: number; microUsd: number } {
  const failed = events.filter((event) => event.type === 'provider-error');
  return {
    tokens: failed.reduce((sum, { usage }) => sum + totalTokens(usage), 0),
    microUsd: failed.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0),
  };
}

/** What the provider bills for these calls. */
function billOf(calls: readonly SimulatedCall[]): { tokens: number; microUsd: number } {
  const input = calls.reduce((sum, call) => sum + call.inputTokens, 0);
  const output = calls.reduce((sum, call) => sum + call.outputTokensGenerated, 0);
  return { tokens: input + output, microUsd: input + 7 * output };
}

describe('generations that ask the same at the same time', () => {
  test('share one call of the provider: each reader has the whole text, and the parts add up to its cost', async () => {
    const { leader, rest, input } = await beginFlight(3);
    await stack.sim.release();
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
    // The rules prove short prompts only.
    const plan = `[[sim tokens=${PLAN.tokens} delay_ms=${PLAN.delayMs} gap_at=${PLAN.holdAt}]]`;
    const topic = `widget number ${Date.now()}`;
    const leader = await begin(`How do I return the ${topic}? ${plan}`);
    await leader.deltas(3);
    const other = await begin(`Hello, how do I return the ${topic}, please? ${plan}`);
    expect(await joined(other)).toMatchObject({ leader: leader.id, similarity: expect.any(Number) });
    await stack.sim.release();
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
    await stack.sim.release();
    await expectWhole([leader, other], input);
    expect(endOf(await other.whole)).toMatchObject({ shared: { by: 2 } });
    expect(await stack.sim.calls()).toHaveLength(1);
  });

  test('a leader that is cancelled leaves its followers, who continue by themselves', async () => {
    const { leader, rest, input } = await beginFlight(1);
    await stack.api.cancel(leader.id);
    expect((await leader.whole).at(-1)?.type).toBe('generation-cancel');
    await expectWhole(rest, input);
    const events = (await rest[0]?.whole) ?? [];
    expect(events.find(({ type }) => type === 'cache-leave')).toMatchObject({ reason: 'generation-cancel' });
    expect(endOf(events)).toMatchObject({ cached: false, attempts: 1 });
  });

  test('a leader whose answer a filter ends leaves its followers, who continue by themselves', async () => {
    const input = promptOf(PLAN);
    await stack.sim.fault({ kind: 'content-filter', afterTokens: 200 });
    const leader = await begin(input);
    await leader.deltas(3);
    const follower = await begin(input);
    await joined(follower);
    await stack.sim.release();
    const { text } = await stack.sim.text(input);
    expect(endOf(await leader.whole)).toMatchObject({ finishReason: 'content-filter' });
    const events = await follower.whole;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe(text);
    expect(events.some(({ type }) => type === 'cache-leave')).toBe(true);
  });

  test('a worker that is killed under leader and followers: each reader still has every token once', async () => {
    const { leader, rest, input } = await beginFlight(2);
    const seat = await waitFor('a worker has the stream', () => streamingWorker(stack, leader.id));
    await seat.kill();
    // A busy machine restarts it more slowly than a provider may be silent.
    await Promise.all([seat.restart(), stack.sim.release()]);
    await expectWhole([leader, ...rest], input);
    for (const { whole } of rest) expect(endOf(await whole)).toMatchObject({ shared: { by: 3 } });
  });

  test('followers that run out of time leave the whole bill to those who stay', async () => {
    const input = promptOf(PLAN);
    const leader = await begin(input);
    await leader.deltas(3);
    const hasty = await Promise.all(Array.from({ length: 9 }, () => begin(input, { deadlineMs: 4_000 })));
    const patient = await begin(input);
    await joined(patient);
    for (const follower of hasty) {
      expect((await follower.whole).at(-1)).toMatchObject({
        type: 'generation-error',
        error: { code: 'generation_timeout' },
        costMicroUsd: 0,
      });
    }
    expect(hasty.some(({ events }) => events.some(({ type }) => type === 'cache-join'))).toBe(true);
    await stack.sim.release();
    await expectWhole([leader, patient], input);
    expect(endOf(await patient.whole)).toMatchObject({ shared: { by: 2 } });
    const calls = await stack.sim.calls();
    expect(calls).toHaveLength(1);
    expect(await bookedForAll([leader, patient, ...hasty])).toEqual(billOf(calls));
  });

  test('a follower that is cancelled while its worker is dead is not counted', async () => {
    const { leader, rest, input } = await beginFlight(1);
    const [follower] = rest;
    if (follower === undefined) throw new Error('one follows');
    const seat = await waitFor('a worker has the follower', () => streamingWorker(stack, follower.id));
    await seat.kill();
    await stack.api.cancel(follower.id);
    await seat.restart();
    const last = (await follower.whole).at(-1);
    expect(last?.type).not.toBe('generation-end');
    await stack.sim.release();
    await expectWhole([leader], input);
    const calls = await stack.sim.calls();
    expect(calls).toHaveLength(1);
    expect(await bookedForAll([leader, follower])).toEqual(billOf(calls));
  });

  test('a follower whose run is terminated by hand is not counted', async () => {
    const { leader, rest, input } = await beginFlight(1);
    const [follower] = rest;
    if (follower === undefined) throw new Error('one follows');
    const temporal = await temporalClient(stack.env);
    await temporal.workflow.getHandle(workflowId('dev', follower.id)).terminate('by hand');
    const repair = { method: 'POST', body: JSON.stringify({ repair: true }) };
    const repaired = await stack.api.send('/v1/budgets/reconcile', repair);
    expect(await repaired.json()).toMatchObject({ orphans: [follower.id], differences: 0 });
    const ended = await follower.whole;
    expect(ended.at(-1)).toMatchObject({ type: 'generation-error', costMicroUsd: 0 });
    expect(ended.some(({ type }) => type === 'provider-start')).toBe(false);
    await stack.sim.release();
    await expectWhole([leader], input);
    expect(endOf(await leader.whole).shared).toBeUndefined();
    const answer = billOf((await stack.sim.calls()).filter(({ state }) => state === 'done').slice(-1));
    const before = usedByFailed(await leader.whole);
    expect(await bookedFor(leader)).toEqual({
      tokens: before.tokens + answer.tokens,
      microUsd: before.microUsd + answer.microUsd,
    });
  });

  test("share what made the answer; what failed before it is the leader's alone", async () => {
    const input = promptOf(PLAN);
    await stack.sim.fault({ kind: 'in-band-error', afterTokens: 200, match: input });
    const leader = await begin(input);
    await leader.deltas(3);
    const rest = await Promise.all(Array.from({ length: 3 }, () => begin(input)));
    for (const follower of rest) await joined(follower);
    await stack.sim.release();
    for (const { whole } of [leader, ...rest]) expect(faultsOf(await whole)).toEqual([]);
    for (const { whole } of rest) expect(endOf(await whole)).toMatchObject({ shared: { by: 4 } });
    const failed = (await leader.whole).find((event) => event.type === 'provider-error');
    if (failed?.type !== 'provider-error') throw new Error('the first call of the leader fails');
    const calls = await stack.sim.calls();
    expect(calls).toHaveLength(2);
    const answered = billOf(calls.slice(1));
    expect(await bookedForAll([leader, ...rest])).toEqual({
      tokens: totalTokens(failed.usage) + answered.tokens,
      microUsd: failed.costMicroUsd + answered.microUsd,
    });
    expect(endOf(await leader.whole).costMicroUsd).toBe(
      failed.costMicroUsd + answered.microUsd - 3 * Math.floor(answered.microUsd / 4),
    );
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
