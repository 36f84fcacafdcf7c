/** What an autoscaler needs: a worker that leaves without harm, and signals that say when there are too few. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { textOf } from '../../contracts/fold-events.ts';
import { workflowId } from '../../contracts/names.ts';
import { faultsOf } from '../harness/check-events.ts';
import { metricOf } from '../harness/metric-of.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, streamingWorker, temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

/** Long enough that a stream which has begun ends within it on any machine, and what leaves at once. */
const DRAINS_MS = [600_000, 0] as const;
const WORKFLOW_TASKS = 1;
const folder = mkdtempSync(join(tmpdir(), 'unbroken-drains-'));
let stack: Stack;

beforeAll(async () => {
  const configOf = (index: number) => {
    const path = join(folder, `worker-${index}.yaml`);
    writeFileSync(path, JSON.stringify({ worker: { drainMs: DRAINS_MS[index] } }));
    return path;
  };
  stack = await startStack({
    workers: DRAINS_MS.length,
    env: { UNBROKEN_METRICS_PORT: '0' },
    workerEnv: (index) => ({ UNBROKEN_CONFIG: configOf(index) }),
  });
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a worker that is asked to leave', () => {
  test.each([
    ['in the first workflow task of its run', { isAdopted: false }],
    ['adopted by an activity', { isAdopted: true }],
  ])('lets a stream end that is %s: no call is paid twice, and others run elsewhere', async (_, state) => {
    const { seat, input, whole } = await streamOn(0, state);
    expect(await metricOf(seat, 'unbroken_streams_running')).toBe(1);
    const code = seat.leave();
    const later = await stack.api.create({ input: promptOf({ tokens: 5 }), cache: 'off' });
    const events = await whole;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe((await stack.sim.text(input)).text);
    expect(await stack.sim.asked(input)).toHaveLength(1);
    expect((await startReading(stack.api, later.body.id).whole).at(-1)?.type).toBe('generation-end');
    expect(await code).toBe(0);
    await seat.restart();
  });

  test('hands over what still runs when its time is up, and the reader gets the rest', async () => {
    const { seat, input, whole } = await streamOn(1, { isAdopted: false });
    expect(await seat.leave()).toBe(0);
    const events = await whole;
    expect(faultsOf(events)).toEqual([]);
    expect(textOf(events)).toBe((await stack.sim.text(input)).text);
    expect((await stack.sim.asked(input)).length).toBeGreaterThan(1);
    await seat.restart();
  });
});

describe('without a worker', () => {
  test("Temporal's backlog, which KEDA reads, counts what waits, and the wait is in the next worker's metrics", async () => {
    const [seat] = stack.workers;
    if (seat === undefined) throw new Error('no worker');
    for (const each of stack.workers) await each.leave();
    const body = await stack.api.submit({ input: promptOf({ tokens: 5 }), cache: 'off' });
    await waitFor('the backlog', async () => (await backlog()) > 0);
    await seat.restart();
    const events = await startReading(stack.api, body.id).whole;
    expect(events.at(-1)?.type).toBe('generation-end');
    await waitFor('an empty backlog', async () => (await backlog()) === 0);
    const waited = 'temporal_workflow_task_schedule_to_start_latency_seconds_sum';
    await waitFor('the wait in the metrics', async () => (await metricOf(seat, waited)) > 0);
  });
});

/** A generation that this worker streams; its provider cannot resume a response. */
async function streamOn(index: number, state: { readonly isAdopted: boolean }) {
  for (let tries = 0; tries < 30; tries += 1) {
    const input = promptOf({ tokens: 400, delayMs: 40 });
    const body = await stack.api.submit({ input, cache: 'off', model: 'simulated-messages/sim-large' });
    const reading = startReading(stack.api, body.id);
    await reading.deltas(3);
    const seat = await streamingWorker(stack, body.id);
    if (seat !== undefined && seat === stack.workers[index]) {
      if (state.isAdopted) await waitFor('an activity that streams', () => isAdopted(body.id));
      if ((await isAdopted(body.id)) === state.isAdopted) return { seat, input, whole: reading.whole };
    }
    await stack.api.cancel(body.id);
  }
  throw new Error(`no generation came to worker ${index} and stayed as it should`);
}

async function isAdopted(generationId: string): Promise<boolean> {
  const client = await temporalClient(stack.env);
  const { raw } = await client.workflow.getHandle(workflowId('dev', generationId)).describe();
  return (raw.pendingActivities ?? []).some(({ lastWorkerIdentity }) => Boolean(lastWorkerIdentity));
}

async function backlog(): Promise<number> {
  const { connection } = await temporalClient(stack.env);
  const { stats } = await connection.workflowService.describeTaskQueue({
    namespace: stack.env['TEMPORAL_NAMESPACE'] ?? 'default',
    taskQueue: { name: stack.env['UNBROKEN_TASK_QUEUE'] ?? '', kind: 1 },
    taskQueueType: WORKFLOW_TASKS,
    reportStats: true,
  });
  return Number(stats?.approximateBacklogCount ?? 0);
}
