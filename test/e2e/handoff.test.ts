/** A generation begins beside the start of its run: what that may never cost. It has its own services to harm. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { textOf } from '../../contracts/fold-events.ts';
import { WORKFLOW_TYPE, workflowId } from '../../contracts/names.ts';
import { runOptions } from '../../platform/temporal/run-options.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import type { Seat } from '../harness/stack.ts';
import { temporalClient } from '../harness/streaming-worker.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';
import { buildStage, type Stage } from '../prove/matrix/stage.ts';
import { orderOf } from '../workflows/workflow-environment.ts';

const WAIT_MS = 2_500;
let stage: Stage;
let api: UnbrokenApi;
let temporal: Seat;

beforeAll(async () => {
  stage = await buildStage({ submit: { waitForTemporalMs: WAIT_MS } });
  api = connectApi(stage.apis[0] ?? '', stage.devKey);
  const [only] = stage.seats.temporal;
  if (only === undefined) throw new Error('the stage is empty');
  temporal = only;
});
afterAll(() => stage?.stop());

/** Until every worker has been given a run that it started: from then on it calls without waiting. */
beforeEach(async () => {
  const workers = new Set<string>();
  await waitFor('an eager start by each worker', async () => {
    const body = await api.submit({ input: promptOf({ tokens: 5 }), cache: 'off' });
    await startReading(api, body.id).whole;
    const worker = await eagerWorkerOf(body.id);
    if (worker !== null) workers.add(worker);
    return workers.size === stage.seats.worker.length;
  });
  await stage.sim.forget();
});

/** Who was given the first task in the answer to its start; null where it waited in the queue. */
async function eagerWorkerOf(id: string): Promise<string | null> {
  const client = await temporalClient(stage.direct);
  const { events } = await client.workflow.getHandle(workflowId('dev', id)).fetchHistory();
  if (events?.[0]?.workflowExecutionStartedEventAttributes?.eagerExecutionAccepted !== true) return null;
  const started = events.find((event) => event.workflowTaskStartedEventAttributes);
  return started?.workflowTaskStartedEventAttributes?.identity ?? null;
}

test('a call that left while Temporal fell silent is not shown before it has the run, nor made twice', async () => {
  const input = promptOf({ tokens: 40, delayMs: 1 });
  const expected = await stage.sim.text(input);
  await temporal.freeze();
  const refused = await api.createOnce({ input, cache: 'off' }, 'as-temporal-froze');
  const calls = await stage.sim.calls();
  const thawedAtMs = Date.now();
  await temporal.thaw();
  expect(refused.status).toBe(503);
  expect(calls).toHaveLength(1);
  const { status, body } = await api.create({ input, cache: 'off' }, 'as-temporal-froze');
  expect(status).toBe(201);
  const events = await startReading(api, body.id).whole;
  expect(faultsOf(events)).toEqual([]);
  expect(textOf(events)).toBe(expected.text);
  expect(events.find(({ type }) => type === 'text-delta')?.at).toBeGreaterThanOrEqual(thawedAtMs);
  expect(events.at(-1)?.type).toBe('generation-end');
  expect(await stage.sim.calls()).toHaveLength(1);
});

test('a run that a frozen worker has taken is started for another one, and called for once', async () => {
  const [frozen] = stage.seats.worker;
  await frozen?.freeze();
  try {
    for (const index of [1, 2, 3]) {
      const input = promptOf({ tokens: 20, delayMs: 1 });
      const expected = await stage.sim.text(input);
      await stage.sim.forget();
      const { body } = await api.createOnce({ input, cache: 'off' }, `while-frozen-${index}`);
      const events = await startReading(api, body.id).whole;
      expect(faultsOf(events)).toEqual([]);
      expect(textOf(events)).toBe(expected.text);
      expect(await stage.sim.calls()).toHaveLength(1);
    }
  } finally {
    await frozen?.thaw();
  }
});

test('a run whose log Redis never had comes to its end, and holds no worker', async () => {
  const { taskQueue } = stage.direct;
  const client = await temporalClient(stage.direct);
  const order = orderOf();
  const run = await client.workflow.start(WORKFLOW_TYPE, runOptions({ order }, taskQueue));
  expect(await run.result()).toMatchObject({ status: 'failed', errorCode: 'input_lost' });
});
