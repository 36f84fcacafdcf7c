import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { GenerationEvent } from '../../contracts/events.ts';
import { textOf } from '../../contracts/fold-events.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, streamingWorker } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ workers: 2 });
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
});

function indexesOfStarts(events: readonly GenerationEvent[]): readonly number[] {
  return events.flatMap(({ type }, index) => (type === 'provider-start' ? [index] : []));
}

test.each(['simulated/sim-large', 'simulated-messages/sim-large'])(
  'a worker that was thought dead and wakes up adds nothing to the log (%s)',
  async (model) => {
    const input = promptOf({ tokens: 900, delayMs: 10 });
    const expected = await stack.sim.text(input);
    const body = await stack.api.submit({ input, model, cache: 'off' });
    const reading = startReading(stack.api, body.id);
    await reading.deltas(20);
    const zombie = await waitFor('the worker that streams', () => streamingWorker(stack, body.id));
    await zombie.freeze();
    // When its lease has expired, another worker starts the next attempt. Its text may come with its start.
    await waitFor('text of the next attempt', () => {
      const second = indexesOfStarts(reading.events)[1] ?? Number.POSITIVE_INFINITY;
      return reading.events.slice(second).some(({ type }) => type === 'text-delta');
    });
    await zombie.thaw();
    const events = await reading.whole;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe(expected.text);
    expect(await stack.api.readOnce(body.id, events.at(-2)?.seq ?? -1)).toEqual(events.slice(-1));
  },
);
