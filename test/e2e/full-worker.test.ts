/** Workers that run as many streams as they may: the next one waits in Temporal's queue, and none moves for it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { workflowId } from '../../contracts/names.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

const WORKERS = 2;
const MOST_EACH = 2;
/** They run until the test ends them. */
const ENDLESS = { tokens: 3_000, delayMs: 100 };
/** As Temporal's API numbers them. */
const SCHEDULED = 1;
const STARTED = 2;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ workers: WORKERS, config: { worker: { maxStreams: MOST_EACH } } });
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
});

async function begin() {
  const input = promptOf(ENDLESS);
  const body = await stack.api.submit({ input, model: 'simulated/sim-large', cache: 'off' });
  return { id: body.id, input, reading: startReading(stack.api, body.id) };
}

async function handleOf(id: string) {
  return (await temporalClient(stack.env)).workflow.getHandle(workflowId('dev', id));
}

/** Resolves when the stream of a generation is with an activity in this state. */
async function untilActivity(id: string, state: number): Promise<void> {
  const handle = await handleOf(id);
  await waitFor(`an activity in state ${state}`, async () => {
    const { raw } = await handle.describe();
    return raw.pendingActivities?.[0]?.state === state;
  });
}

test('a generation beyond what all workers may run waits in the queue, and takes the place of one that ends', async () => {
  const running = await Promise.all(Array.from({ length: WORKERS * MOST_EACH }, begin));
  await Promise.all(running.map(({ id }) => untilActivity(id, STARTED)));
  const next = await begin();
  await untilActivity(next.id, SCHEDULED);
  expect(await stack.sim.asked(next.input)).toEqual([]);
  // A hand-over would have given its first task to a worker with the start.
  const { events } = await (await handleOf(next.id)).fetchHistory();
  expect(events?.[0]?.workflowExecutionStartedEventAttributes?.eagerExecutionAccepted).not.toBe(true);
  const [first, ...others] = running;
  if (first === undefined) throw new Error('nothing runs');
  await stack.api.cancel(first.id);
  await next.reading.deltas(1);
  await Promise.all([next, ...others].map(({ id }) => stack.api.cancel(id)));
  const ended = await Promise.all([next, ...running].map(({ reading }) => reading.whole));
  expect(ended.map((events) => events.at(-1)?.type)).toEqual(ended.map(() => 'generation-cancel'));
  for (const { input } of [next, ...running]) expect(await stack.sim.asked(input)).toHaveLength(1);
});
