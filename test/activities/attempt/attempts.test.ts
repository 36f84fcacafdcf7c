/** What readers and the bill get from attempts that are cut, stopped or fenced off, for every kind of answer. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Dependencies } from '../../../activities/dependencies.ts';
import { lookUpCache } from '../../../activities/look-up-cache.ts';
import { storeAnswer } from '../../../activities/store-answer.ts';
import type { Tool } from '../../../contracts/content.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { textOf } from '../../../contracts/fold-events.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import type { StreamStep } from '../../../contracts/steps.ts';
import type { WireFamily } from '../../../platform/config/schema.ts';
import { withMethods } from '../../../platform/with-methods.ts';
import { faultsOf } from '../../harness/check-events.ts';
import { chooseSeed, createRandom } from '../../harness/random.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type AttemptStand, startAttemptStand } from './attempt-stand.ts';

const WIRES = [
  'openai-responses',
  'openai-chat',
  'anthropic-messages',
  'google',
  'cohere',
] satisfies WireFamily[];
const WEATHER: Tool = {
  name: 'get_weather',
  parameters: { type: 'object', properties: { town: { type: 'string' }, days: { type: 'integer' } } },
};
const FACTS = ['name', 'river', 'harbour', 'street', 'bridge'];
const CITY = {
  name: 'city',
  schema: {
    type: 'object',
    properties: Object.fromEntries(FACTS.map((name) => [name, { type: 'string' }])),
    required: FACTS,
    additionalProperties: false,
  },
};

let stand: AttemptStand;
beforeAll(async () => {
  stand = await startAttemptStand(WIRES);
});
afterAll(() => stand?.stop());
afterEach(async () => {
  await stand.sim.clearFaults();
  await stand.sim.forget();
});

const ask = (content: string) => [{ role: 'user' as const, content }];
let questions = 0;
const prompt = (directive: string) => {
  questions += 1;
  return ask(`Question ${questions} [[sim ${directive}]]`);
};

/** The tool calls that a reader holds at the end, put together as readers do it. */
function callsOf(events: readonly GenerationEvent[]): string[] {
  let calls: string[] = [];
  for (const event of events) {
    if (event.type === 'text-reset') calls = [];
    if (event.type === 'tool-call-delta') calls[event.index] = (calls[event.index] ?? '') + event.arguments;
  }
  return calls;
}

function thoughtsOf(events: readonly GenerationEvent[]): string {
  const reset = events.findLastIndex(({ type }) => type === 'text-reset');
  return events
    .slice(reset + 1)
    .map((event) => (event.type === 'reasoning-delta' ? event.text : ''))
    .join('');
}

const started = (events: readonly GenerationEvent[]) =>
  events.flatMap((event) => (event.type === 'provider-start' ? [event.strategy] : []));

describe('a response that was requested again, accepted, and cut', () => {
  // The call after the error is accepted and cut before it says anything; the one after that reattaches to it.
  const failThenCut = async (afterTokens: number) => {
    await stand.sim.fault({ kind: 'in-band-error', afterTokens });
    await stand.sim.fault({ kind: 'cut', afterTokens: 0 });
  };

  test('leaves no half of the tool call before it', async () => {
    await failThenCut(3);
    const messages = prompt('tool=get_weather calls=2 delay_ms=1');
    const step = await stand.begin('openai-responses', { messages, tools: [WEATHER] });
    await stand.untilOutcome(step);
    const events = await stand.events(step);
    expect(faultsOf(events)).toEqual([]);
    expect(started(events)).toEqual(['start', 'restart', 'reattach']);
    expect(callsOf(events)).toHaveLength(2);
    for (const call of callsOf(events)) expect(JSON.parse(call)).toEqual({ town: 'Lisbon', days: 3 });
  });

  test('leaves no reasoning of the response before it', async () => {
    await failThenCut(6);
    const messages = prompt('reasoning=12 tokens=20 delay_ms=1');
    const step = await stand.begin('openai-responses', { messages });
    await stand.untilOutcome(step);
    const events = await stand.events(step);
    expect(started(events)).toEqual(['start', 'start', 'reattach']);
    expect(thoughtsOf(events).trim().split(' ')).toHaveLength(12);
    expect(textOf(events)).toBe((await stand.sim.text(messages)).text);
  });

  test.each([
    ['the same value', false],
    ['another value', true],
  ])('leaves no half of the JSON before it (%s)', async (_name, differs) => {
    await failThenCut(6);
    const messages = prompt('delay_ms=1');
    const step = await stand.begin('openai-responses', { messages, output: CITY });
    if (differs) {
      await stand.sim.clearFaults();
      await stand.sim.fault({ kind: 'in-band-error', afterTokens: 6 });
      await stand.sim.fault({ kind: 'nondeterministic' });
    }
    await stand.untilOutcome(step);
    const events = await stand.events(step);
    expect(started(events)).toEqual(differs ? ['start', 'restart'] : ['start', 'restart', 'reattach']);
    expect(Object.keys(JSON.parse(textOf(events)))).toEqual(Object.keys(CITY.schema.properties));
    // The beginning that readers had is kept where it came again, and voided where it did not.
    expect(events.filter(({ type }) => type === 'text-reset')).toHaveLength(differs ? 1 : 0);
  });

  test('is one text with what it continues', async () => {
    await stand.sim.fault({ kind: 'in-band-error', afterTokens: 40 });
    await stand.sim.fault({ kind: 'cut', afterTokens: 0 });
    const messages = prompt('tokens=60 delay_ms=1');
    const step = await stand.begin('openai-responses', { messages });
    await stand.untilOutcome(step);
    const events = await stand.events(step);
    expect(started(events)).toEqual(['start', 'instruct', 'reattach']);
    expect(textOf(events)).toBe((await stand.sim.text(messages)).text);
  });
});

describe.each(WIRES)('%s', (wire) => {
  test('a JSON answer that is cut or loses its process anywhere is one whole value', async () => {
    const { seed, between } = createRandom(chooseSeed());
    for (let run = 0; run < 6; run += 1) {
      await stand.sim.clearFaults();
      const kinds = ['cut', 'in-band-error', 'nondeterministic'] as const;
      for (let fault = between(0, 2); fault > 0; fault -= 1) {
        const kind = kinds[between(0, kinds.length - 1)] ?? 'cut';
        await stand.sim.fault({ kind, afterTokens: between(0, 15) });
      }
      const messages = prompt('delay_ms=2');
      const step = await stand.begin(wire, { messages, output: CITY });
      const deltas = between(0, 12);
      stand.attempt(step);
      await waitFor(`${deltas} deltas`, async () => {
        const events = await stand.events(step);
        const isOver = events.some(({ type }) => type === 'generation-end' || type === 'provider-error');
        return isOver || events.filter(({ type }) => type === 'text-delta').length >= deltas;
      });
      // Its process dies here: the next attempt to open the log silences it.
      await stand.untilOutcome(step);
      const events = await stand.events(step);
      expect({ seed, run, faults: faultsOf(events) }).toEqual({ seed, run, faults: [] });
      const text = textOf(events);
      expect({ seed, run, keys: Object.keys(JSON.parse(text)) }).toEqual({
        seed,
        run,
        keys: Object.keys(CITY.schema.properties),
      });
      expect(started(events).filter((strategy) => strategy === 'prefill' || strategy === 'instruct')).toEqual(
        [],
      );
    }
  });
});

test.each(WIRES)('half a tool call is void before the next call leaves (%s)', async (wire) => {
  // Google's calls come in one piece, so the second of two is broken.
  await stand.sim.fault({ kind: 'in-band-error', afterTokens: 9 });
  const messages = prompt('tool=get_weather calls=2 delay_ms=1');
  const step = await stand.begin(wire, { messages, tools: [WEATHER] });
  await stand.untilOutcome(step);
  const events = await stand.events(step);
  expect(started(events)[0]).toBe('start');
  expect(callsOf(events)).toHaveLength(2);
  for (const call of callsOf(events)) expect(JSON.parse(call)).toEqual({ town: 'Lisbon', days: 3 });
  const shown = events.findIndex(({ type }) => type === 'tool-call-delta');
  const reset = events.findIndex(({ type }) => type === 'text-reset');
  const next = events.findLastIndex(({ type }) => type === 'provider-start');
  if (shown !== -1 && shown < next)
    expect(events.slice(shown, next).map(({ type }) => type)).toContain('text-reset');
  expect(reset).toBeLessThan(next);
});

describe.each(WIRES)('%s, continuing an answer', (wire) => {
  test.each([
    ['in band', 'in-band-error', 40],
    ['after a few characters', 'in-band-error', 2],
    ['by a malformed chunk', 'malformed-chunk', 30],
  ] as const)(
    'and beginning it again gives no text twice (it broke %s)',
    async (_name, kind, afterTokens) => {
      const messages = prompt('tokens=60 delay_ms=1');
      await stand.sim.fault({ kind, afterTokens });
      await stand.sim.fault({ kind: 'ignore-continuation', times: 9 });
      const step = await stand.begin(wire, { messages });
      await stand.untilOutcome(step);
      const events = await stand.events(step);
      expect(faultsOf(events)).toEqual([]);
      expect(textOf(events)).toBe((await stand.sim.text(messages)).text);
      expect(events.filter(({ type }) => type === 'text-reset')).toEqual([]);
      if (afterTokens > 20) expect(started(events)[1]).toMatch(/instruct|prefill/);
    },
  );

  test('delivers no text twice if its process dies while it restarts', async () => {
    const messages = prompt('tokens=60 delay_ms=6');
    await stand.sim.fault({ kind: 'in-band-error', afterTokens: 40 });
    await stand.sim.fault({ kind: 'ignore-continuation', times: 9 });
    const step = await stand.begin(wire, { messages });
    await expect(stand.attempt(step).outcome).rejects.toMatchObject({ nonRetryable: false });
    stand.attempt(step);
    await waitFor('the repeat', async () =>
      (await stand.sim.calls()).some(
        ({ outputTokensGenerated }, at) => at === 1 && outputTokensGenerated > 5,
      ),
    );
    await stand.untilOutcome(step);
    expect(textOf(await stand.events(step))).toBe((await stand.sim.text(messages)).text);
  });
});

describe('a stop before the call has left', () => {
  const billOf = async (step: StreamStep) => {
    const events = await stand.events(step);
    return events.flatMap((event) =>
      event.type === 'generation-cancel' || event.type === 'provider-error'
        ? [{ type: event.type, usage: event.usage, costMicroUsd: event.costMicroUsd }]
        : [],
    );
  };

  test('by a caller that cancels while the log is opened costs nothing', async () => {
    const step = await stand.begin('openai-chat', { messages: prompt('tokens=20') });
    await stand.dependencies.log.requestCancel(step.order.generationId);
    const outcome = await stand.attempt(step).outcome;
    expect(outcome).toMatchObject({ status: 'cancelled', usage: NO_USAGE, costMicroUsd: 0 });
    expect(await billOf(step)).toEqual([{ type: 'generation-cancel', usage: NO_USAGE, costMicroUsd: 0 }]);
    expect(await stand.sim.calls()).toEqual([]);
  });

  test.each(['leave', 'deadline'] as const)(
    'by its worker or its time (%s) is on record as unpaid',
    async (why) => {
      const step = await stand.begin('openai-chat', { messages: prompt('tokens=20') });
      await expect(stand.attempt(step, why).outcome).rejects.toMatchObject({
        type: why === 'leave' ? 'attempt_interrupted' : 'generation_timeout',
      });
      expect(await billOf(step)).toEqual([{ type: 'provider-error', usage: NO_USAGE, costMicroUsd: 0 }]);
      expect(await stand.sim.calls()).toEqual([]);
    },
  );
});

describe('an attempt that leaves before its response has a name', () => {
  test('waits for the name, so that the next one reattaches and the call is paid once', async () => {
    await stand.sim.fault({ kind: 'slow-first-token', delayMs: 300 });
    const messages = prompt('tokens=200 delay_ms=1');
    const step = await stand.begin('openai-responses', { messages });
    const first = stand.attempt(step);
    // The log has its start before it leaves.
    await waitFor('the call', async () => (await stand.sim.calls()).length === 1);
    first.stop('leave');
    await expect(first.outcome).rejects.toMatchObject({ type: 'attempt_interrupted' });
    await stand.untilOutcome(step);
    const events = await stand.events(step);
    expect(started(events)).toEqual(['start', 'reattach']);
    expect(textOf(events)).toBe((await stand.sim.text(messages)).text);
    expect(await stand.sim.calls()).toHaveLength(1);
  });
});

describe('an attempt that was fenced off', () => {
  const stateOfFirst = async () => (await stand.sim.calls())[0]?.state;

  test('stops a response that no other process can know of', async () => {
    await stand.sim.fault({ kind: 'slow-first-token', delayMs: 300 });
    const step = await stand.begin('openai-responses', { messages: prompt('tokens=2000 delay_ms=10') });
    const first = stand.attempt(step);
    await waitFor('the call', async () =>
      (await stand.events(step)).some(({ type }) => type === 'provider-start'),
    );
    await stand.dependencies.log.open(step.order.generationId, 1_000_000);
    await expect(first.outcome).rejects.toMatchObject({ name: 'LogRefused' });
    expect(await stateOfFirst()).toBe('cancelled');
  });

  test('leaves a response that the log names: the next attempt reattaches to it', async () => {
    const messages = prompt('tokens=300 delay_ms=3');
    const step = await stand.begin('openai-responses', { messages });
    const first = stand.attempt(step);
    await waitFor('text', async () => (await stand.events(step)).some(({ type }) => type === 'text-delta'));
    await stand.untilOutcome(step);
    await expect(first.outcome).rejects.toMatchObject({ name: 'LogRefused' });
    expect(textOf(await stand.events(step))).toBe((await stand.sim.text(messages)).text);
    expect(await stand.sim.calls()).toHaveLength(1);
    expect(await stateOfFirst()).toBe('done');
  });
});

test('the estimate of a continuation whose process died includes the text that was sent with it', async () => {
  const { countTexts } = stand.dependencies;
  await stand.sim.fault({ kind: 'in-band-error', afterTokens: 100 });
  const messages = prompt('tokens=200 delay_ms=3');
  const step = await stand.begin('openai-chat', { messages });
  await expect(stand.attempt(step).outcome).rejects.toMatchObject({ type: expect.any(String) });
  const sent = textOf(await stand.events(step));
  stand.attempt(step);
  await waitFor('the continuation', async () => textOf(await stand.events(step)).length > sent.length + 50);
  await stand.untilOutcome(step);
  const events = await stand.events(step);
  expect(started(events)).toEqual(['start', 'instruct', 'instruct']);
  const interrupted = events.find(
    (event) => event.type === 'provider-error' && event.code === 'attempt_interrupted',
  );
  if (interrupted?.type !== 'provider-error') throw new Error('no interrupted attempt');
  expect(interrupted.usage.inputTokens).toBeGreaterThanOrEqual((await countTexts([sent]))[0] ?? 0);
});

test('a JSON answer that does not parse is neither stored nor served from the cache', async () => {
  const stored: string[] = [];
  const cache = {
    store: async (_question: unknown, { text }: { text: string }) => {
      stored.push(text);
    },
    lookUp: async () => ({ outcome: 'hit', answer: { text: '{"name":"Par{"name":"Paris"}' } }),
  } as unknown as Dependencies['cache'];
  const dependencies = { ...stand.dependencies, cache };
  const messages = prompt('tokens=5 delay_ms=0');
  for (const output of [CITY, undefined]) {
    const step = await stand.begin('openai-chat', { messages, ...(output === undefined ? {} : { output }) });
    const outcome = await stand.untilOutcome(step);
    await storeAnswer(dependencies)({ order: { ...step.order, cache: 'write' }, outcome });
    expect(stored.splice(0)).toHaveLength(1);
  }
  // The model wrote prose: its input is now read as if JSON had been asked for.
  const step = await stand.begin('openai-chat', { messages });
  const outcome = await stand.untilOutcome(step);
  const input = { messages, maxOutputTokens: 2_000, output: CITY };
  const log = withMethods(dependencies.log, { readInput: async () => input });
  await storeAnswer({ ...dependencies, log })({ order: { ...step.order, cache: 'write' }, outcome });
  expect(stored).toEqual([]);
  const order = { ...step.order, cache: 'on' as const };
  expect(await lookUpCache(dependencies, order, { input, events: [] })).toEqual({ outcome: 'miss' });
  expect(
    await lookUpCache(dependencies, order, { input: { messages, maxOutputTokens: 2_000 }, events: [] }),
  ).toMatchObject({
    outcome: 'hit',
  });
});
