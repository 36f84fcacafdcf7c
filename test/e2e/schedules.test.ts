/** Schedules on real services. */

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import {
  createClient,
  type NewSchedule,
  type ScheduleView,
  type UnbrokenClient,
} from '../../clients/typescript/index.ts';
import { workflowId } from '../../contracts/names.ts';
import { promptOf } from '../harness/prompt.ts';
import { runCli } from '../harness/run-cli.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

let stack: Stack;
let client: UnbrokenClient;

beforeAll(async () => {
  stack = await startStack();
  client = createClient({ baseUrl: stack.api.url, apiKey: stack.api.key });
});
afterAll(() => stack?.stop());

const generation = { input: promptOf({ tokens: 8, delayMs: 0 }), cache: 'off' as const };
const never: NewSchedule['times'] = { cron: ['0 6 1 1 *'], timeZone: 'Europe/Berlin' };

function runsOf(id: string, count: number): Promise<ScheduleView['runs']> {
  return waitFor(`${count} runs of ${id}`, async () => {
    const { runs } = await client.schedules.get(id);
    return runs.length >= count && runs;
  });
}

async function withTemporal(use: (temporal: Client) => Promise<void>): Promise<void> {
  const connection = await Connection.connect({ address: stack.env['TEMPORAL_ADDRESS'] ?? '' });
  try {
    await use(new Client({ connection, namespace: stack.env['TEMPORAL_NAMESPACE'] ?? 'default' }));
  } finally {
    await connection.close();
  }
}

test('a tick starts one generation, whatever is killed, and it is that of the owner', async () => {
  const ann = connectApi(stack.api.url, await stack.addKey({ user: 'ann', scopes: ['generate'] }));
  const own = createClient({ baseUrl: ann.url, apiKey: ann.key });
  await stack.sim.forget();
  const { id, nextAt } = await own.schedules.create({ times: never, generation });
  expect(nextAt.length).toBeGreaterThan(0);
  const [worker] = stack.workers;
  await worker?.kill();
  await own.schedules.trigger(id);
  const [run] = await runsOf(id, 1);
  await worker?.restart();
  const ended = await waitFor('the generation', async () => {
    const { body, status } = await stack.api.view(run?.id ?? '');
    return status === 200 && body.status === 'completed' && body;
  });
  expect(ended).toMatchObject({ user: 'ann' });
  expect(await stack.sim.calls()).toHaveLength(1);
  expect((await own.schedules.list()).map((schedule) => schedule.id)).toEqual([id]);
  await own.schedules.delete(id);
  await expect(own.schedules.get(id)).rejects.toMatchObject({ code: 'not_found' });
});

test('the ticks of a time that is past are started once each, as jobs', async () => {
  const definition = { steps: { one: { input: generation.input, cache: 'off' as const } } };
  await stack.sim.forget();
  const { id } = await client.schedules.create({
    times: { everyMs: 3_600_000, timeZone: 'UTC' },
    job: { definition },
    isPaused: true,
  });
  const span = { from: '2026-01-01T00:30:00Z', until: '2026-01-01T03:30:00Z' };
  await client.schedules.backfill(id, span);
  const runs = await runsOf(id, 3);
  expect(runs.map(({ scheduledAt }) => new Date(scheduledAt).getUTCHours()).sort()).toEqual([1, 2, 3]);
  for (const run of runs) {
    await waitFor(`the job ${run.id}`, async () => {
      const job = await stack.api.send(`/v1/jobs/${run.id}`);
      return job.status === 200 && ((await job.json()) as { status: string }).status === 'completed';
    });
  }
  expect(await stack.sim.calls()).toHaveLength(3);
  await client.schedules.delete(id);
});

test('a schedule is one of Temporal, with no text in it; pause and trigger are seen there', async () => {
  const secret = 'a text that only its owner reads';
  const { id } = await client.schedules.create({
    times: never,
    generation: { input: secret },
    overlap: 'allow-all',
  });
  await withTemporal(async (temporal) => {
    const handle = temporal.schedule.getHandle(workflowId('dev', id));
    expect(JSON.stringify(await handle.describe())).not.toContain(secret);
    await client.schedules.pause(id, { note: 'holidays' });
    expect((await handle.describe()).state).toMatchObject({ paused: true, note: 'holidays' });
    expect(await client.schedules.unpause(id)).toMatchObject({ isPaused: false });
  });
  await client.schedules.delete(id);
});

test('a tick whose key was revoked starts nothing', async () => {
  const key = await stack.addKey({ user: 'gone', scopes: ['generate'], name: 'to be revoked' });
  const own = createClient({ baseUrl: stack.api.url, apiKey: key });
  const { id } = await own.schedules.create({ times: never, generation });
  const listed = (await (await stack.api.send('/v1/keys')).json()) as {
    data: { id: string; name: string }[];
  };
  const keyId = listed.data.find(({ name }) => name === 'to be revoked')?.id;
  expect((await stack.api.send(`/v1/keys/${keyId}`, { method: 'DELETE' })).status).toBe(204);
  await client.schedules.trigger(id);
  const [run] = await runsOf(id, 1);
  await withTemporal(async (temporal) => {
    const { info } = await temporal.schedule.getHandle(workflowId('dev', id)).describe();
    const tick = temporal.workflow.getHandle(info.recentActions[0]?.action.workflow.workflowId ?? '');
    await expect(tick.result()).rejects.toMatchObject({ cause: { type: 'unauthorized' } });
  });
  expect((await stack.api.view(run?.id ?? '')).status).toBe(404);
  await client.schedules.delete(id);
});

test('what cannot run is refused when the schedule is made', async () => {
  const refused = (schedule: NewSchedule) => expect(client.schedules.create(schedule)).rejects;
  await refused({ times: { cron: ['nonsense'] }, generation }).toMatchObject({ code: 'invalid_request' });
  await refused({ times: { ...never, timeZone: 'Mars/Olympus' }, generation }).toMatchObject({
    code: 'invalid_request',
  });
  await refused({ times: never, generation: { input: 'x', model: 'no/model' } }).toMatchObject({
    code: 'model_not_found',
  });
  await refused({ times: never, job: { pipeline: { name: 'unknown' } } }).toMatchObject({
    code: 'pipeline_not_found',
  });
  await refused({ times: never }).toMatchObject({ code: 'invalid_request' });
});

test('the same key makes one schedule, and the command line lists it', async () => {
  const key = { idempotencyKey: 'the same schedule' };
  const schedule = { times: never, generation, description: 'the morning' };
  const made = await Promise.all([1, 2].map(() => client.schedules.create(schedule, key)));
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  const { out } = await runCli(stack.api, ['schedules', 'list']);
  expect(out).toContain('the morning');
  await client.schedules.delete(made[0]?.id ?? '');
});
