/** An answer that does not fit its schema: on record, paid once, asked for again within the caller's limits. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { closeGeneration } from '../../../activities/close-generation.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';
import { textOf } from '../../../contracts/fold-events.ts';
import type { OutputCheck } from '../../../contracts/output-check.ts';
import { faultsOf } from '../../harness/check-events.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { type AttemptStand, startAttemptStand } from './attempt-stand.ts';

const WIRES = ['openai-responses', 'openai-chat', 'anthropic-messages', 'google', 'cohere'] as const;
const OUTPUT = {
  name: 'size',
  schema: {
    type: 'object',
    properties: { size: { type: 'integer' } },
    required: ['size'],
    additionalProperties: false,
  },
};
const WRONG = '{"size":"large"}';
const PATH = '/size';

let stand: AttemptStand;
beforeAll(async () => {
  stand = await startAttemptStand(WIRES);
});
afterAll(() => stand?.stop());
afterEach(async () => {
  await stand.sim.clearFaults();
  await stand.sim.forget();
});

const says = (text: string, times = 1) => stand.sim.fault({ kind: 'says', text, times });
const begin = (wire: (typeof WIRES)[number] = 'openai-chat', outputCheck: OutputCheck = { attempts: 2 }) =>
  stand.begin(wire, {
    messages: [{ role: 'user', content: 'How large? [[sim delay_ms=1]]' }],
    output: OUTPUT,
    outputCheck,
  });
type Step = Awaited<ReturnType<typeof begin>>;

const errorsOf = (events: readonly GenerationEvent[]) =>
  events.flatMap((event) => (event.type === 'provider-error' ? [event] : []));
const startsOf = (events: readonly GenerationEvent[]) =>
  events.filter(({ type }) => type === 'provider-start').length;

/** Tokens that the provider generated, and would bill. */
async function generated(): Promise<number> {
  const calls = await stand.sim.calls();
  return calls.reduce((sum, call) => sum + call.outputTokensGenerated, 0);
}

/** The requests as the provider received them. */
async function sent(): Promise<string[]> {
  return (await stand.sim.received('How large?')).map(({ body }) => JSON.stringify(body));
}

/** The code of the failure that ends a generation without an answer. */
async function failureOf(step: Step): Promise<string | null | undefined> {
  const failure = await stand.untilOutcome(step).then(
    () => undefined,
    (error: unknown) => error,
  );
  return failure instanceof ApplicationFailure ? failure.type : 'none';
}

describe.each(WIRES)('%s', (wire) => {
  test('an answer that does not fit is void, and the model gets it back with the reason', async () => {
    await says(WRONG);
    const step = await begin(wire);
    const outcome = await stand.untilOutcome(step);
    const events = await stand.events(step);
    expect(faultsOf(events)).toEqual([]);
    expect(JSON.parse(textOf(events))).toEqual({ size: expect.any(Number) });
    const [error, ...others] = errorsOf(events);
    expect(others).toEqual([]);
    expect(error).toMatchObject({ code: 'output_invalid', path: PATH, resumable: false, attempt: 1 });
    const types = events.map(({ type }) => type);
    expect(types.indexOf('text-reset')).toBeGreaterThan(types.indexOf('provider-error'));
    expect(types.lastIndexOf('provider-start')).toBeGreaterThan(types.indexOf('text-reset'));
    // The bill is that of the provider: both answers, each once.
    expect(outcome.attempts).toBe(2);
    expect(outcome.usage.outputTokens).toBe(await generated());
    const [, again] = await sent();
    expect(again).toContain('must be integer');
    expect(again).toContain('large');
  });
});

test.each([
  ['in a code fence', '```json\n{"size":3}\n```'],
  ['with words around it', 'Here it is:\n{"size":3}\nAnything else?'],
])('JSON %s needs no second call', async (_name, text) => {
  await says(text);
  const step = await begin();
  await stand.untilOutcome(step);
  const events = await stand.events(step);
  expect(textOf(events)).toBe('{"size":3}');
  expect(startsOf(events)).toBe(1);
  expect(events.some(({ type }) => type === 'text-reset')).toBe(false);
});

describe('the limits of the caller', () => {
  test('so many answers are requested, and the last error has the path', async () => {
    await says(WRONG, 9);
    const step = await begin('openai-chat', { attempts: 3 });
    expect(await failureOf(step)).toBe('output_invalid');
    expect(startsOf(await stand.events(step))).toBe(3);
    const error = { code: 'output_invalid', message: 'of the run' } as const;
    const { order } = step;
    const compression = { read: async () => null };
    const flights = stand.dependencies.flights;
    const outcome = await closeGeneration({ ...stand.dependencies, compression, flights })({
      order,
      as: 'failed',
      error,
    });
    expect(outcome.usage.outputTokens).toBe(await generated());
    const end = (await stand.events(step)).at(-1);
    expect(end).toMatchObject({
      type: 'generation-error',
      error: {
        code: 'output_invalid',
        message: expect.stringContaining('/size must be integer'),
        details: { path: PATH },
      },
    });
  });

  test('no answer is requested once the generation has cost as much', async () => {
    await says(WRONG, 9);
    const step = await begin('openai-chat', { attempts: 5, maxCostMicroUsd: 1 });
    expect(await failureOf(step)).toBe('output_invalid');
    expect(startsOf(await stand.events(step))).toBe(1);
  });

  test('without a check the answer is returned as it is', async () => {
    await says(WRONG);
    const messages = [{ role: 'user' as const, content: 'How large? [[sim delay_ms=1]]' }];
    const step = await stand.begin('openai-chat', { messages, output: OUTPUT });
    await stand.untilOutcome(step);
    expect(textOf(await stand.events(step))).toBe(WRONG);
  });
});

describe('a process that dies', () => {
  test('after the answer was found wrong leaves it on record, and the limits hold', async () => {
    await says(WRONG, 9);
    const step = await begin('openai-chat', { attempts: 1 });
    const { outcome } = stand.attempt(step);
    await expect(outcome).rejects.toThrow('output_invalid');
    // Its report is lost: the step is repeated, and must not call again.
    expect(await failureOf(step)).toBe('output_invalid');
    expect(startsOf(await stand.events(step))).toBe(1);
    expect(errorsOf(await stand.events(step))).toHaveLength(1);
  });

  test('during the second answer loses neither the reason nor the bill of the first', async () => {
    await says(WRONG);
    await stand.sim.fault({ kind: 'stall', afterTokens: 1 });
    const step = await begin('openai-chat', { attempts: 2 });
    await expect(stand.attempt(step).outcome).rejects.toThrow('output_invalid');
    stand.attempt(step);
    await waitFor('the second call', async () => startsOf(await stand.events(step)) === 2);
    const outcome = await stand.untilOutcome(step);
    const events = await stand.events(step);
    expect(faultsOf(events)).toEqual([]);
    expect(JSON.parse(textOf(events))).toEqual({ size: expect.any(Number) });
    expect(errorsOf(events).map(({ code }) => code)).toEqual(['output_invalid', 'attempt_interrupted']);
    const [, , third] = await sent();
    expect(third).toContain('must be integer');
    expect(outcome.attempts).toBe(3);
  });
});

test('a schema that takes too long to check is an error of the request, and no second answer is paid', async () => {
  await says(JSON.stringify(`${'a'.repeat(60)}b`));
  const outputs = { check: async () => ({ result: 'unchecked', reason: 'it takes too long' }) as const };
  Object.assign(stand.dependencies, { outputs });
  const step = await begin('openai-chat', { attempts: 5 });
  expect(await failureOf(step)).toBe('invalid_request');
  const events = await stand.events(step);
  expect(startsOf(events)).toBe(1);
  expect(errorsOf(events)[0]?.message).toBe('output.schema: the answer cannot be checked: it takes too long');
});
