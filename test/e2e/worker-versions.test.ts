/**
 * What an operator does who upgrades workers by version: generations end where they began, new ones begin on the new.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { textOf } from '../../contracts/fold-events.ts';
import { workflowId } from '../../contracts/names.ts';
import { examine } from '../../tools/services/doctor/examine.ts';
import type { WorkerDeployment } from '../../tools/services/worker-deployment.ts';
import { warningOf } from '../harness/budget-warning.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Reading, startReading } from '../harness/reader.ts';
import { runCli } from '../harness/run-cli.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

const REQUESTS = 2;
const WINDOW_MS = 3_000;
const SETTLED_MS = 30_000;
/** Temporal's PendingActivityState. */
const SCHEDULED = 1;
/** Temporal's VersioningBehavior. */
const AUTO_UPGRADE = 2;
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({
    workers: 2,
    env: { TEMPORAL_DEPLOYMENT_NAME: `test-${randomUUID()}`, METERED_KEY: 'sk-metered-0123456789' },
    workerEnv: (index) => ({ TEMPORAL_WORKER_BUILD_ID: index === 0 ? 'a' : 'b' }),
    config: (simulatorUrl) => ({
      providers: {
        metered: {
          wire: 'openai-responses',
          baseUrl: `${simulatorUrl}/v1`,
          keys: [{ env: 'METERED_KEY', limits: { requests: REQUESTS, windowMs: WINDOW_MS } }],
        },
      },
    }),
  });
});
afterAll(async () => {
  await closeTemporalClients();
  await stack?.stop();
});

const cli = (...args: string[]) => runCli(stack.api, ['deployments', ...args], stack.env);

async function run(...args: string[]): Promise<void> {
  const { code, error } = await cli(...args);
  if (code !== 0) throw new Error(error);
}

/** A worker counts a moment after it has polled. */
async function setCurrent(buildId: string): Promise<void> {
  await waitFor(`${buildId} to be current`, async () => (await cli('set-current', buildId)).code === 0);
}

async function deployment(): Promise<WorkerDeployment> {
  return JSON.parse((await cli('--json')).out);
}

async function begin(input: string, model = 'simulated/sim-large'): Promise<Reading> {
  const body = await stack.api.submit({ input, model, cache: 'off' });
  return startReading(stack.api, body.id);
}

/** The versions whose workers took its workflow tasks, in order. */
/** The version of each workflow task; a slow machine needs more than one. */
async function versionsOf(id: string): Promise<string[]> {
  const handle = (await temporalClient(stack.env)).workflow.getHandle(workflowId('dev', id));
  const events = (await handle.fetchHistory()).events ?? [];
  return events.flatMap(({ workflowTaskCompletedEventAttributes: task }) =>
    task ? [task.deploymentVersion?.buildId ?? 'none'] : [],
  );
}

async function expectWhole(reading: Reading, input: string): Promise<void> {
  const events = await reading.whole;
  expect(faultsOf(events)).toEqual([]);
  expect(textOf(events)).toBe((await stack.sim.text(input)).text);
  const handle = (await temporalClient(stack.env)).workflow.getHandle(workflowId('dev', reading.id));
  await handle.result();
}

const long = () => promptOf({ tokens: 400, delayMs: 20 });
const findingsOf = async () =>
  (await examine({ ...stack.env, UNBROKEN_PORT: new URL(stack.api.url).port })).filter(
    ({ check }) => check === 'worker versions',
  );

test('where no version is current new generations wait, the doctor says so, and they begin when one is', async () => {
  const input = promptOf({ tokens: 20, delayMs: 1 });
  const reading = await begin(input);
  const [finding] = await waitFor('the doctor to see it', async () => {
    const found = await findingsOf();
    return found[0]?.status === 'error' ? found : null;
  });
  expect(finding).toMatchObject({ fix: expect.stringContaining('deployments set-current') });
  expect(reading.text()).toBe('');
  await setCurrent('a');
  await expectWhole(reading, input);
  expect(new Set(await versionsOf(reading.id))).toEqual(new Set(['a']));
  expect(await findingsOf()).toMatchObject([{ status: 'ok' }]);
});

test('a generation that runs ends on the version that it began on, and a new one begins on the new version', async () => {
  const [oldInput, newInput] = [long(), long()];
  const old = await begin(oldInput);
  await old.deltas(100);
  await setCurrent('b');
  const young = await begin(newInput);
  await young.deltas(60);
  const { current, versions } = await deployment();
  expect(current).toBe('b');
  expect(versions.find(({ buildId }) => buildId === 'a')).toMatchObject({ status: 'draining', workers: 1 });
  await Promise.all([expectWhole(old, oldInput), expectWhole(young, newInput)]);
  // On a busy machine an attempt that misses its heartbeat costs one workflow task more.
  expect(new Set(await versionsOf(old.id))).toEqual(new Set(['a']));
  expect(new Set(await versionsOf(young.id))).toEqual(new Set(['b']));
  expect(await stack.sim.calls()).toHaveLength(3);
});

test('a ramp gives the new version its share', async () => {
  await setCurrent('b');
  await run('ramp', 'a', '100');
  const inputs = [promptOf({ tokens: 5 }), promptOf({ tokens: 5 })];
  for (const input of inputs) {
    const reading = await begin(input);
    await expectWhole(reading, input);
    expect(new Set(await versionsOf(reading.id))).toEqual(new Set(['a']));
  }
  await run('ramp', 'a', '0');
  const input = promptOf({ tokens: 5 });
  const reading = await begin(input);
  await expectWhole(reading, input);
  expect(new Set(await versionsOf(reading.id))).toEqual(new Set(['b']));
});

test('a warning, which may be tried for days, moves on with the versions', async () => {
  const { workflow } = await temporalClient(stack.env);
  const warning = warningOf(`warn_${randomUUID()}`, 'dev');
  const handle = await workflow.start('budgetWarning', {
    args: [warning],
    workflowId: warning.warningId,
    taskQueue: stack.env['UNBROKEN_TASK_QUEUE'] ?? '',
  });
  await handle.result();
  const events = (await handle.fetchHistory()).events ?? [];
  const tasks = events.flatMap(({ workflowTaskCompletedEventAttributes: task }) => task ?? []);
  expect(tasks.map((task) => task.versioningBehavior)).toContain(AUTO_UPGRADE);
});

test('generations of either version wait for room in one line', async () => {
  const inputs = Array.from({ length: 2 * REQUESTS }, () => promptOf({ tokens: 5, delayMs: 1 }));
  const readings: Reading[] = [];
  for (const [index, input] of inputs.entries()) {
    if (index === REQUESTS) await setCurrent('a');
    readings.push(await begin(input, 'metered/sim-large'));
  }
  for (const [index, reading] of readings.entries()) await expectWhole(reading, inputs[index] ?? '');
});

test('a generation whose version has lost its workers waits for them, and continues when it is moved', async () => {
  const [workerA] = stack.workers;
  await setCurrent('a');
  // It must still run when its worker is killed, however long the commands before that take.
  const input = promptOf({ tokens: 500, delayMs: 40 });
  const reading = await begin(input);
  await reading.deltas(20);
  const handle = (await temporalClient(stack.env)).workflow.getHandle(workflowId('dev', reading.id));
  // Until then the worker streams without an activity, and none would be left to retry.
  await waitFor('the activity that adopts the stream', async () => {
    const [activity] = (await handle.describe()).raw.pendingActivities ?? [];
    return activity !== undefined;
  });
  await setCurrent('b');
  await workerA?.kill();
  await waitFor('the next attempt, which nobody takes', async () => {
    const [activity] = (await handle.describe()).raw.pendingActivities ?? [];
    return (activity?.attempt ?? 0) >= 2 && activity?.state === SCHEDULED;
  });
  expect((await deployment()).versions.find(({ buildId }) => buildId === 'a')).toMatchObject({ running: 1 });
  await run('move', 'a');
  await expectWhole(reading, input);
  const [first, ...others] = await versionsOf(reading.id);
  expect(first).toBe('a');
  expect(new Set(others)).toEqual(new Set(['b']));
  await waitFor(
    'nothing runs on the version',
    async () => (await deployment()).versions.every(({ running }) => running === 0),
    SETTLED_MS,
  );
});
