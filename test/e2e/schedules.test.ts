/** Schedules on real services. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import {
  createClient,
  type NewSchedule,
  type ScheduleView,
  type UnbrokenClient,
} from '../../clients/typescript/index.ts';
import { workflowId } from '../../contracts/names.ts';
import { BatchClient, chatLine } from '../harness/batches.ts';
import { promptOf } from '../harness/prompt.ts';
import { runCli } from '../harness/run-cli.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-schedules-'));
let stack: Stack;
let client: UnbrokenClient;

beforeAll(async () => {
  stack = await startStack({ config: { objectStore: { folder } } });
  client = createClient({ baseUrl: stack.api.url, apiKey: stack.api.key });
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const generation = { input: promptOf({ tokens: 8, delayMs: 0 }), cache: 'off' as const };
const never: NewSchedule['times'] = { cron: ['0 6 1 1 *'], timeZone: 'Europe/Berlin' };

function runsOf(id: string, count: number): Promise<ScheduleView['runs']> {
  return waitFor(`${count} runs of ${id}`, async () => {
    const { runs } = await client.schedules.get(id);
    return runs.length >= count && runs;
  });
}

const hoursOf = (runs: ScheduleView['runs']) =>
  runs.map(({ scheduledAt }) => new Date(scheduledAt).getUTCHours()).sort();

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
  const once = { idempotencyKey: `three hours of ${id}` };
  await client.schedules.backfill(id, span, once);
  const runs = await runsOf(id, 3);
  expect(hoursOf(runs)).toEqual([1, 2, 3]);
  for (const run of runs) {
    await waitFor(`the job ${run.id}`, async () => {
      const job = await stack.api.send(`/v1/jobs/${run.id}`);
      return job.status === 200 && ((await job.json()) as { status: string }).status === 'completed';
    });
  }
  expect(await stack.sim.calls()).toHaveLength(3);
  // As a client does that has had no answer. Temporal takes what comes after it later.
  await client.schedules.backfill(id, span, once);
  await client.schedules.backfill(id, { from: '2026-01-01T03:30:00Z', until: '2026-01-01T04:30:00Z' });
  expect(hoursOf(await runsOf(id, 4))).toEqual([1, 2, 3, 4]);
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

// https://github.com/kestra-io/kestra/issues/18732, https://github.com/openclaw/openclaw/pull/91688
test.each<[string, NewSchedule['times']]>([
  ['a day that does not exist', { cron: ['0 0 30 2 *'] }],
  ['a time that is past', { everyMs: 60_000, until: '2020-01-01T00:00:00Z' }],
  ['an end before the beginning', { ...never, from: '2030-01-02T00:00:00Z', until: '2030-01-01T00:00:00Z' }],
])('a schedule of %s is refused, and nothing of it is kept', async (_, times) => {
  const before = (await client.schedules.list()).map(({ id }) => id);
  await expect(client.schedules.create({ times, generation, isPaused: true })).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('no tick will ever come'),
  });
  expect((await client.schedules.list()).map(({ id }) => id)).toEqual(before);
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

describe('a batch by the clock', () => {
  const window = { endpoint: '/v1/chat/completions', completion_window: '1h' } as const;

  async function someone(user: string) {
    const key = await stack.addKey({ user, scopes: ['generate'] });
    const own = createClient({ baseUrl: stack.api.url, apiKey: key });
    return { own, batches: new BatchClient(stack.api.url, key) };
  }

  const hourly = { times: { everyMs: 3_600_000 }, isPaused: true };

  /** A tick of the past, whose policy counts as that of a tick in time does; a trigger always starts something. */
  function tick(
    { schedules }: UnbrokenClient,
    id: string,
    { hour, overlap }: { readonly hour: number; readonly overlap: 'skip' | 'cancel-other' },
  ) {
    const [from, until] = [`2026-01-01T0${hour - 1}:30:00Z`, `2026-01-01T0${hour}:30:00Z`];
    return schedules.backfill(id, { from, until, overlap });
  }

  test('has each line once, whatever is killed, and belongs to the owner of the schedule', async () => {
    const { own, batches } = await someone('bea');
    await stack.sim.forget();
    const lines = Array.from({ length: 8 }, (_, at) =>
      chatLine(`${at}`, promptOf({ tokens: 4, delayMs: 20 })),
    );
    const input_file_id = await batches.upload(lines);
    const batch = { input_file_id, ...window, metadata: { night: 'first' } };
    const { id, kind } = await own.schedules.create({ times: never, batch });
    expect(kind).toBe('batch');
    const [worker] = stack.workers;
    await worker?.kill();
    await own.schedules.trigger(id);
    const [run] = await runsOf(id, 1);
    await worker?.restart();
    const ended = await batches.endOf(run?.id ?? '');
    expect(ended).toMatchObject({
      status: 'completed',
      input_file_id,
      metadata: { night: 'first' },
      request_counts: { total: 8, completed: 8, failed: 0 },
      request_outcomes: { completed: 8, failed: 0, cancelled: 0, expired: 0 },
      requests_per_second: expect.any(Number),
      estimated_completion_at: null,
    });
    const { output } = await batches.resultsOf(ended);
    expect(output.map((line) => line.custom_id)).toEqual(lines.map((line) => line.custom_id));
    expect(await stack.sim.calls()).toHaveLength(8);
    expect((await batches.openai.batches.list()).data.map((each) => each.id)).toEqual([run?.id]);
    await own.schedules.delete(id);
  });

  test('is not created while that of an earlier tick is not over', async () => {
    const { own, batches } = await someone('ole');
    const input_file_id = await batches.upload([chatLine('only', promptOf({ tokens: 2 }))]);
    const { id } = await own.schedules.create({ ...hourly, batch: { input_file_id, ...window } });
    const [worker] = stack.workers;
    // Without it, the first tick stays where it is.
    await worker?.kill();
    for (const hour of [1, 2]) await tick(own, id, { hour, overlap: 'skip' });
    await withTemporal(async (temporal) => {
      const handle = temporal.schedule.getHandle(workflowId('dev', id));
      await waitFor('a tick to be skipped', async () => {
        return (await handle.describe()).info.numActionsSkippedOverlap === 1;
      });
    });
    await worker?.restart();
    const runs = await runsOf(id, 1);
    expect(runs).toHaveLength(1);
    expect(await batches.endOf(runs[0]?.id ?? '')).toMatchObject({ status: 'completed' });
    await own.schedules.delete(id);
  });

  test('is cancelled by the next tick, if the schedule says so', async () => {
    const { own, batches } = await someone('uma');
    // More than run at once, and long: the next tick comes before the last one has begun.
    const input_file_id = await batches.upload(
      Array.from({ length: 40 }, (_, at) => chatLine(`${at}`, promptOf({ tokens: 60, delayMs: 100 }))),
    );
    const batch = { input_file_id, ...window };
    const { id } = await own.schedules.create({ ...hourly, batch });
    await tick(own, id, { hour: 1, overlap: 'cancel-other' });
    const [older] = await runsOf(id, 1);
    const begins = (batchId: string) =>
      waitFor(`the start of ${batchId}`, async () => {
        const found = await batches.openai.batches.retrieve(batchId).catch(() => null);
        return found?.status === 'in_progress';
      });
    await begins(older?.id ?? '');
    await tick(own, id, { hour: 2, overlap: 'cancel-other' });
    expect(await batches.endOf(older?.id ?? '')).toMatchObject({ status: 'cancelled' });
    const [newer] = await runsOf(id, 2);
    await begins(newer?.id ?? '');
    await batches.openai.batches.cancel(newer?.id ?? '');
    await own.schedules.delete(id);
  });

  test('whose file is refused fails its tick, which pauses the schedule', async () => {
    const { own, batches } = await someone('fay');
    const input_file_id = await batches.upload(['{']);
    const batch = { input_file_id, ...window };
    const { times } = hourly;
    const { id } = await own.schedules.create({ times, batch, pauseOnFailure: true });
    await tick(own, id, { hour: 1, overlap: 'skip' });
    const [run] = await runsOf(id, 1);
    expect(await batches.endOf(run?.id ?? '')).toMatchObject({
      status: 'failed',
      errors: { data: [{ code: 'invalid_json_line' }] },
    });
    await waitFor('the pause', async () => (await own.schedules.get(id)).isPaused);
    await own.schedules.delete(id);
  });

  test('keeps its file, which cannot be deleted before the schedule is', async () => {
    const { own, batches } = await someone('kit');
    const { files } = batches.openai;
    const fileId = await batches.upload([chatLine('a', 'x')]);
    const before = (await files.retrieve(fileId)).expires_at ?? 0;
    const batch = { input_file_id: fileId, ...window };
    const first = await own.schedules.create({ times: never, batch });
    const second = await own.schedules.create({ times: never, batch });
    const kept = (await files.retrieve(fileId)).expires_at ?? 0;
    expect(kept).toBeGreaterThan(before + 300 * 86_400);
    await own.schedules.delete(first.id);
    expect((await files.retrieve(fileId)).expires_at).toBe(kept);
    await expect(files.delete(fileId)).rejects.toMatchObject({ status: 409, code: 'batch_conflict' });
    await own.schedules.delete(second.id);
    expect((await files.retrieve(fileId)).expires_at).toBeLessThan(kept);
    await files.delete(fileId);
  });

  test('that could not run is refused when the schedule is made', async () => {
    const { batches } = await someone('fil');
    const { own } = await someone('eve');
    const fileId = await batches.upload([chatLine('a', 'x')]);
    const refused = (input_file_id: string, more: object = {}) =>
      expect(own.schedules.create({ times: never, batch: { input_file_id, ...window, ...more } })).rejects;
    await refused(`file-${'0'.repeat(32)}`).toMatchObject({ code: 'not_found' });
    await refused(fileId).toMatchObject({ code: 'not_found' });
    await refused(fileId, { completion_window: '7d' }).toMatchObject({ code: 'invalid_request' });
    await refused(fileId, { unknown: true }).toMatchObject({ code: 'invalid_request' });
    const twofold = { times: never, generation, batch: { input_file_id: fileId, ...window } };
    await expect(own.schedules.create(twofold)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(await own.schedules.list()).toEqual([]);
  });
});
