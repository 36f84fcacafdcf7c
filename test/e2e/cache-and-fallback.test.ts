import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { textOf } from '../../contracts/events.ts';
import { workflowId } from '../../contracts/names.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());
beforeEach(() => stack.sim.forget());
afterEach(() => stack.sim.clearFaults());

describe('the answer cache', () => {
  test('gives the same question the same answer without a call of the provider', async () => {
    const input = promptOf({ tokens: 60, delayMs: 1 });
    const expected = await stack.sim.text(input);
    const first = await stack.api.create({ input, cache: 'on' });
    await startReading(stack.api, first.body.id).whole;
    expect(await stack.sim.calls()).toHaveLength(1);
    // The answer is stored after its reader has it all; the run ends when it is.
    const temporal = await temporalClient(stack.env);
    await temporal.workflow.getHandle(workflowId('dev', first.body.id)).result();
    await closeTemporalClients();
    const second = await stack.api.create({ input, cache: 'on' });
    expect(second.body.id).not.toBe(first.body.id);
    const events = await startReading(stack.api, second.body.id).whole;
    expect(faultsOf(events)).toEqual([]);
    expect(events.some((event) => event.type === 'cache-hit')).toBe(true);
    expect(textOf(events)).toBe(expected.text);
    expect(events.at(-1)).toMatchObject({ type: 'generation-end', cached: true, costMicroUsd: 0 });
    expect(await stack.sim.calls()).toHaveLength(1);
  });

  test('is not asked where the request says so', async () => {
    const input = promptOf({ tokens: 30, delayMs: 1 });
    for (const _ of [1, 2]) {
      const { body } = await stack.api.create({ input, cache: 'off' });
      const events = await startReading(stack.api, body.id).whole;
      expect(events.some((event) => event.type === 'cache-hit')).toBe(false);
    }
    expect(await stack.sim.calls()).toHaveLength(2);
  });
});

describe('a provider that fails', () => {
  test('is replaced by the next candidate of the route, and the reader sees one whole answer', async () => {
    await stack.sim.fault({ kind: 'status', wire: 'openai-responses', status: 500, times: 10 });
    const input = promptOf({ tokens: 60, delayMs: 1 });
    const { body } = await stack.api.create({ input, cache: 'off' });
    const events = await startReading(stack.api, body.id).whole;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe((await stack.sim.text(input)).text);
    expect(events.at(-1)).toMatchObject({ type: 'generation-end', provider: 'simulated-messages' });
    const errors = events.flatMap((event) => (event.type === 'provider-error' ? [event] : []));
    expect(errors.length).toBeGreaterThan(0);
    expect(new Set(errors.map((error) => error.provider))).toEqual(new Set(['simulated']));
  });
});
