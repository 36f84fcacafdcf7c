/** A response that an operator cancels at the provider, as the vendor's console allows. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { textOf } from '../../contracts/fold-events.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { waitFor } from '../harness/wait-for.ts';

const TIMES = 4;
let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());

test('a generation continues from its text however often its response is cancelled at the provider', async () => {
  const input = promptOf({ tokens: 500, delayMs: 10 });
  const expected = await stack.sim.text(input);
  const body = await stack.api.submit({ input, model: 'simulated/sim-large', cache: 'off' });
  const reading = startReading(stack.api, body.id);
  for (let time = 1; time <= TIMES; time += 1) {
    await reading.deltas(60 * time);
    const id = await waitFor(`response ${time}`, async () => {
      const calls = await stack.sim.calls();
      return calls.length === time && calls.find(({ state }) => state === 'running')?.id;
    });
    const response = await fetch(`${stack.sim.url}/v1/responses/${id}/cancel`, { method: 'POST' });
    expect(response.status).toBe(200);
  }
  const events = await reading.whole;
  expect(faultsOf(events)).toEqual([]);
  expect(textOf(events)).toBe(expected.text);
  const errors = events.flatMap((event) => (event.type === 'provider-error' ? [event] : []));
  expect(errors.map(({ code }) => code)).toEqual(
    Array.from({ length: TIMES }, () => 'provider_response_lost'),
  );
  // Each is paid for what it made, as the provider tells it, and for nothing twice.
  const made = (await stack.sim.calls()).reduce((sum, call) => sum + call.outputTokensGenerated, 0);
  const end = events.at(-1);
  expect(end?.type === 'generation-end' && end.usage.outputTokens).toBe(made);
});
