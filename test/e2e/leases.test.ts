/** A worker dies, and the expired lease shows it: the next attempt begins long before Temporal's own timeouts. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { textOf } from '../../contracts/fold-events.ts';
import { workflowId } from '../../contracts/names.ts';
import { closedRun } from '../../tools/bench/closed-run.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Reading, startReading } from '../harness/reader.ts';
import { type Seat, type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, streamingWorker, temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

const LONG = { tokens: 600, delayMs: 10 };
const EXPIRED = /lease of its worker expired/;
/** Well below the heartbeat timeout, and below the first heartbeat. */
const SOON_MS = 10_000;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ workers: 2 });
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
});
beforeEach(() => stack.sim.forget());

async function begin(plan: Parameters<typeof promptOf>[0] = LONG) {
  const input = promptOf(plan);
  const expected = await stack.sim.text(input);
  const { body } = await stack.api.create({ input, model: 'simulated/sim-large', cache: 'off' });
  return { id: body.id, expected, reading: startReading(stack.api, body.id) };
}

async function handleOf(id: string) {
  return (await temporalClient(stack.env)).workflow.getHandle(workflowId('dev', id));
}

async function pendingActivity(id: string) {
  const { raw } = await (await handleOf(id)).describe();
  return raw.pendingActivities?.[0];
}

async function killed(victim: Seat, reading: Reading, text: string) {
  await victim.kill();
  const events = await reading.whole;
  await victim.restart();
  expect(faultsOf(events)).toEqual([]);
  expect(textOf(events)).toBe(text);
  expect(events.filter(({ type }) => type === 'provider-start')).toHaveLength(2);
}

test('a worker that is killed while an activity streams loses that activity by its lease', async () => {
  const { id, expected, reading } = await begin();
  await waitFor('the activity', () => pendingActivity(id));
  const victim = await waitFor('the worker that streams', () => streamingWorker(stack, id));
  const seen = waitFor('the next attempt', async () => {
    const activity = await pendingActivity(id);
    return Number(activity?.attempt) > 1 ? activity?.lastFailure?.message : null;
  });
  await killed(victim, reading, expected.text);
  expect(await seen).toMatch(EXPIRED);
});

test('a worker that is killed in the first second of an answer loses its workflow task by its lease', async () => {
  // On a busy machine the activity may have the stream already: then another generation is tried.
  const { id, expected, reading, victim } = await waitFor('a generation that begins', async () => {
    const begun = await begin();
    await begun.reading.deltas(3);
    const victim = await streamingWorker(stack, begun.id);
    const isEarly = victim !== undefined && (await pendingActivity(begun.id)) === undefined;
    if (isEarly) return { ...begun, victim };
    await stack.api.cancel(begun.id);
    await begun.reading.whole;
    return null;
  });
  await killed(victim, reading, expected.text);
  const { events = [] } = await (await handleOf(id)).fetchHistory();
  const failures = (events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) =>
    failed ? [failed.failure?.message] : [],
  );
  expect(failures).toEqual([expect.stringMatching(EXPIRED)]);
  expect((events ?? []).filter((event) => event.workflowTaskTimedOutEventAttributes)).toEqual([]);
});

test('history and state writes do not grow with the time that an answer takes', async () => {
  const runs = await Promise.all(
    [150, 600].map(async (tokens) => {
      const { id, reading } = await begin({ tokens, delayMs: 10 });
      await reading.whole;
      return closedRun(stack, id);
    }),
  );
  const [short, long] = runs.map(({ events, transitions }) => ({ events, transitions }));
  expect(long).toEqual(short);
});

test.each([
  ['cancelled at Temporal', async (id: string) => void (await (await handleOf(id)).cancel())],
  ['cancelled at the API', async (id: string) => void (await stack.api.cancel(id))],
])('a silent stream that is %s ends at once, without waiting for a heartbeat', async (_, cancel) => {
  const { id, reading } = await begin({ ...LONG, silence: { afterTokens: 200, ms: 60_000 } });
  await waitFor('the activity', () => pendingActivity(id));
  await reading.deltas(150);
  const cancelledAtMs = Date.now();
  await cancel(id);
  const events = await reading.whole;
  expect(events.at(-1)?.type).toBe('generation-cancel');
  expect(Date.now() - cancelledAtMs).toBeLessThan(SOON_MS);
});
