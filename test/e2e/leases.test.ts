/** A worker dies, and the expired lease shows it: the next attempt begins long before Temporal's own timeouts. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { textOf } from '../../contracts/fold-events.ts';
import { workflowId } from '../../contracts/names.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Reading, startReading } from '../harness/reader.ts';
import { type Seat, type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, streamingWorker, temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

/** Longer than a workflow task is held for any run. */
const LONG = { tokens: 600, delayMs: 30 };
const SHORT = { tokens: 300, delayMs: 10 };
/** From then on nothing is appended, which would bring the news of a cancellation. */
const SILENT_AFTER = 200;
const EXPIRED = /lease of its worker expired/;
/** As activities/stream-from-provider.ts has it, of the heartbeat timeout in workflows/activity-options.ts. */
const HEARTBEAT_MS = 12_000;
/** So that a busy machine takes no lease of a worker that lives; still before what Temporal would notice. */
const SILENT_MS = 2_000;
/** As Temporal's API numbers them: that a workflow task was completed, has timed out, or has failed. */
const TASK_ENDS = [7, 8, 9];
/** All events of workflow tasks: on a busy machine, there are more. */
const WORKFLOW_TASKS = [5, 6, ...TASK_ENDS];

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    workers: 2,
    env: { UNBROKEN_METRICS_PORT: '0' },
    config: { limits: { workerSilentMs: SILENT_MS } },
  });
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
});
beforeEach(() => stack.sim.forget());

async function begin(plan: Parameters<typeof promptOf>[0] = LONG) {
  const input = promptOf(plan);
  const expected = await stack.sim.text(input);
  const body = await stack.api.submit({ input, model: 'simulated/sim-large', cache: 'off' });
  return { id: body.id, expected, reading: startReading(stack.api, body.id) };
}

async function handleOf(id: string) {
  return (await temporalClient(stack.env)).workflow.getHandle(workflowId('dev', id));
}

async function pendingActivity(id: string) {
  const { raw } = await (await handleOf(id)).describe();
  return raw.pendingActivities?.[0];
}

/** Heartbeats that the workers that run now have sent to Temporal: each is a write of its store. */
async function heartbeats(): Promise<number> {
  const pages = await Promise.all(
    stack.workers.map(async (seat) => {
      const url = [...seat.log().matchAll(/"metricsUrl":"([^"]+)"/g)].at(-1)?.[1];
      return (await fetch(`${url}/metrics`)).text();
    }),
  );
  const counted = /^temporal_request_total\{[^\n]*operation="RecordActivityTaskHeartbeat"[^\n]*\} (\S+)$/gm;
  return pages
    .flatMap((page) => [...page.matchAll(counted)])
    .reduce((sum, [, count]) => sum + Number(count), 0);
}

async function stepsOf(id: string) {
  const { events } = await (await handleOf(id)).fetchHistory();
  return (events ?? [])
    .map(({ eventType }) => Number(eventType))
    .filter((type) => !WORKFLOW_TASKS.includes(type));
}

/** A worker that was busy leaves a run to the queue: no process has the token of its first task then. */
async function isEager(id: string): Promise<boolean> {
  const { events } = await (await handleOf(id)).fetchHistory();
  return events?.[0]?.workflowExecutionStartedEventAttributes?.eagerExecutionAccepted === true;
}

/** Why the first workflow task of a run failed; null if it ended in another way. */
async function firstFailedTask(id: string): Promise<string | null> {
  const { events } = await (await handleOf(id)).fetchHistory();
  const ended = events?.find(({ eventType }) => TASK_ENDS.includes(Number(eventType)));
  return ended?.workflowTaskFailedEventAttributes?.failure?.message ?? null;
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

test('a worker that is killed in the first task of a run loses that task by its lease', async () => {
  // The first run of a worker is adopted after a second, and on a busy machine Temporal's own timeout of the task may
  // pass before anybody notices: then another generation is tried.
  const failure = await waitFor(
    'a workflow task that failed before it timed out',
    async () => {
      const begun = await begin(SHORT);
      // By then the lease has been renewed, and has the task.
      await begun.reading.deltas(60);
      const victim = await streamingWorker(stack, begun.id);
      const isEarly = victim !== undefined && (await pendingActivity(begun.id)) === undefined;
      if (isEarly && (await isEager(begun.id))) {
        await killed(victim, begun.reading, begun.expected.text);
        return await firstFailedTask(begun.id);
      }
      await stack.api.cancel(begun.id);
      await begun.reading.whole;
      return null;
    },
    240_000,
  );
  expect(failure).toMatch(EXPIRED);
});

test('neither the history nor the heartbeats grow with the time that an answer takes', async () => {
  const before = await heartbeats();
  const begunAtMs = Date.now();
  const runs = await Promise.all(
    [400, 600].map(async (tokens) => {
      const { id, reading } = await begin({ ...LONG, tokens });
      await reading.whole;
      await waitFor('the run to close', async () => {
        return (await (await handleOf(id)).describe()).status.name !== 'RUNNING';
      });
      return stepsOf(id);
    }),
  );
  expect(runs[1]).toEqual(runs[0]);
  const most = runs.length * Math.floor((Date.now() - begunAtMs) / HEARTBEAT_MS);
  expect((await heartbeats()) - before).toBeLessThanOrEqual(most);
});

test.each([
  ['cancelled at Temporal', async (id: string) => void (await (await handleOf(id)).cancel())],
  ['cancelled at the API', async (id: string) => void (await stack.api.cancel(id))],
])('a silent stream that is %s ends at once, without waiting for a heartbeat', async (_, cancel) => {
  const { id, reading } = await begin({ ...LONG, silence: { afterTokens: SILENT_AFTER, ms: 60_000 } });
  await waitFor('the activity', () => pendingActivity(id));
  await reading.deltas(SILENT_AFTER);
  const before = await heartbeats();
  await cancel(id);
  const events = await reading.whole;
  expect(events.at(-1)?.type).toBe('generation-cancel');
  expect(await heartbeats()).toBe(before);
});
