import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { GenerationEvent } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { chooseSeed, createRandom } from '../harness/random.ts';
import { deltasOf, type Reading, startReading } from '../harness/reader.ts';
import { type Seat, type Stack, startStack } from '../harness/stack.ts';

const PLAN = { tokens: 300, delayMs: 8 };
let stack: Stack;
let worker: Seat;
let api: Seat;
const random = createRandom(chooseSeed());

beforeAll(async () => {
  stack = await startStack();
  const [firstWorker] = stack.workers;
  const [firstApi] = stack.apis;
  if (firstWorker === undefined || firstApi === undefined) throw new Error('the stack is empty');
  worker = firstWorker;
  api = firstApi;
  console.info(`seed ${random.seed}`);
});
afterAll(() => stack?.stop());
beforeEach(() => stack.sim.forget());

async function begin(
  model?: string,
  plan = PLAN,
): Promise<{ reading: Reading; expected: { text: string; tokens: number } }> {
  const input = promptOf(plan);
  const expected = await stack.sim.text(input);
  const created = await stack.api.create({ input, cache: 'off', ...(model === undefined ? {} : { model }) });
  expect(created.status).toBe(201);
  return { reading: startReading(stack.api, created.body.id), expected };
}

function expectWhole(events: readonly GenerationEvent[], text: string): void {
  expect(faultsOf(events)).toEqual([]);
  expect(textOf(events)).toBe(text);
  expect(events.at(-1)?.type).toBe('generation-end');
}

async function generatedTokens(): Promise<number> {
  return (await stack.sim.calls()).reduce((sum, call) => sum + call.outputTokensGenerated, 0);
}

describe('a process that is killed in the middle of the stream', () => {
  test('api: the reader continues where it was, and no token is lost, repeated or paid twice', async () => {
    const { reading, expected } = await begin();
    await reading.deltas(random.between(5, 100));
    await api.kill();
    await api.restart();
    expectWhole(await reading.whole, expected.text);
    expect(await generatedTokens()).toBe(expected.tokens);
    expect(await stack.sim.calls()).toHaveLength(1);
  });

  test('worker: the next one reattaches to the running response; nothing is paid again', async () => {
    const { reading, expected } = await begin();
    await reading.deltas(random.between(5, 100));
    await worker.kill();
    await worker.restart();
    const events = await reading.whole;
    expectWhole(events, expected.text);
    expect(await generatedTokens()).toBe(expected.tokens);
    const starts = events.filter((event) => event.type === 'provider-start');
    expect(starts.map((event) => event.strategy)).toEqual(['start', 'reattach']);
    expect(events.at(-1)).toMatchObject({ usage: { outputTokens: expected.tokens, estimated: false } });
  });

  test('worker, twice in one generation: still every token once', async () => {
    // The response runs on at the provider while no worker reads it: it must outlast two recoveries.
    const { reading, expected } = await begin(undefined, { tokens: 1_500, delayMs: 10 });
    await reading.deltas(20);
    await worker.kill();
    await worker.restart();
    await reading.deltas(deltasOf(reading.events) + 5);
    await worker.kill();
    await worker.restart();
    expectWhole(await reading.whole, expected.text);
    expect(await generatedTokens()).toBe(expected.tokens);
  });

  test('worker, at a provider that cannot reattach: the text continues from its prefix', async () => {
    const { reading, expected } = await begin('simulated-messages/sim-large');
    await reading.deltas(random.between(20, 100));
    await worker.kill();
    await worker.restart();
    const events = await reading.whole;
    expectWhole(events, expected.text);
    const starts = events.filter((event) => event.type === 'provider-start');
    expect(starts.map((event) => event.strategy)).toEqual(['start', 'prefill']);
    expect(events.filter((event) => event.type === 'text-reset')).toEqual([]);
  });

  test('worker and api at the same moment: still every token once', async () => {
    const { reading, expected } = await begin();
    await reading.deltas(random.between(5, 100));
    await Promise.all([worker.kill(), api.kill()]);
    await Promise.all([worker.restart(), api.restart()]);
    expectWhole(await reading.whole, expected.text);
    expect(await generatedTokens()).toBe(expected.tokens);
  });
});

describe('an answer in JSON whose worker is killed in the middle', () => {
  const names = Array.from({ length: 60 }, (_, index) => `part_${index}`);
  const schema = {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    required: names,
    additionalProperties: false,
  };

  test.each(['simulated', 'simulated-chat', 'simulated-messages', 'simulated-google', 'simulated-cohere'])(
    'is one whole value, and so is what the next caller gets from the cache (%s)',
    async (provider) => {
      const request = {
        input: promptOf({ tokens: 1, delayMs: 8 }),
        model: `${provider}/sim-large`,
        output: { name: 'parts', schema },
      };
      const body = await stack.api.submit(request);
      const reading = startReading(stack.api, body.id);
      await reading.deltas(random.between(5, 120));
      await worker.kill();
      await worker.restart();
      const events = await reading.whole;
      expect(faultsOf(events)).toEqual([]);
      expect(events.at(-1)).toMatchObject({ type: 'generation-end', finishReason: 'stop' });
      expect(Object.keys(JSON.parse(textOf(events)))).toEqual(names);
      const again = await stack.api.create(request);
      expect(textOf(await startReading(stack.api, again.body.id).whole)).toBe(textOf(events));
    },
  );
});
