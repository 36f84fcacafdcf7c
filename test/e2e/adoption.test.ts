import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { textOf } from '../../contracts/fold-events.ts';
import { workflowId } from '../../contracts/names.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

const CANNOT_REATTACH = 'simulated-messages/sim-large';
const SHORT = { tokens: 300, delayMs: 10 };
/** Longer than a workflow task is held for any run. */
const LONG = { tokens: 300, delayMs: 40 };

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ workers: 2 });
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
});
beforeEach(() => stack.sim.forget());

async function historyOf(id: string) {
  const handle = (await temporalClient(stack.env)).workflow.getHandle(workflowId('dev', id));
  await handle.result();
  const events = (await handle.fetchHistory()).events ?? [];
  return {
    workflowTasks: events.filter((event) => event.workflowTaskCompletedEventAttributes).length,
    activities: events.filter((event) => event.activityTaskScheduledEventAttributes).length,
    length: events.length,
  };
}

// The first run of a worker, and one that is left to the queue, is adopted after a second: then it is tried again.
test('an answer of some seconds costs one workflow task and no activity', async () => {
  await waitFor('an answer within one workflow task', async () => {
    const body = await stack.api.submit({ input: promptOf(SHORT), cache: 'off' });
    await startReading(stack.api, body.id).whole;
    const { workflowTasks, activities } = await historyOf(body.id);
    return workflowTasks === 1 && activities === 0;
  });
});

test('a long answer is adopted as it runs: one call, though the provider could not take it up again', async () => {
  const input = promptOf(LONG);
  const expected = await stack.sim.text(input);
  const body = await stack.api.submit({ input, model: CANNOT_REATTACH, cache: 'off' });
  const events = await startReading(stack.api, body.id).whole;
  expect(faultsOf(events)).toEqual([]);
  expect(textOf(events)).toBe(expected.text);
  expect(events.filter((event) => event.type === 'provider-start')).toHaveLength(1);
  expect(await stack.sim.calls()).toHaveLength(1);
  expect(await historyOf(body.id)).toMatchObject({ workflowTasks: 2, activities: 1 });
});

test('a cancel before the adoption stops the call at once and bills what was made', async () => {
  await waitFor('a cancel before the adoption', async () => {
    await stack.sim.forget();
    return (await cancelSoon()) === 0;
  });
});

/** Cancels a long answer that has begun. @returns the activities of its run */
async function cancelSoon(): Promise<number> {
  const body = await stack.api.submit({ input: promptOf(SHORT), model: CANNOT_REATTACH, cache: 'off' });
  const reading = startReading(stack.api, body.id);
  await reading.deltas(3);
  await stack.api.cancel(body.id);
  const events = await reading.whole;
  expect(faultsOf(events)).toEqual([]);
  const end = events.at(-1);
  expect(end?.type).toBe('generation-cancel');
  expect(end !== undefined && 'usage' in end ? end.usage.outputTokens : 0).toBeGreaterThan(0);
  const [call] = await waitFor('the call to end', async () => {
    const calls = await stack.sim.calls();
    return calls.every(({ state }) => state === 'cancelled') ? calls : null;
  });
  expect(call?.outputTokensGenerated).toBeLessThan(SHORT.tokens);
  return (await historyOf(body.id)).activities;
}
