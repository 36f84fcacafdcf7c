/** Jobs on real services: a pipeline under kills, people who decide, reruns, limits. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  createClient,
  type FollowedJobEvent,
  type JobView,
  type NewPipeline,
  textOf,
  type UnbrokenClient,
} from '../../clients/typescript/index.ts';
import { faultsOf } from '../harness/check-events.ts';
import { ARTICLE, article, endOf, jobEvents, logsIn, quick, slow } from '../harness/jobs.ts';
import { runCli } from '../harness/run-cli.ts';
import { type Seat, type Stack, startStack } from '../harness/stack.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';
import { refusesExpiredKey } from './job-books/expired-key.ts';

let stack: Stack;
let worker: Seat;
let api: Seat;
let client: UnbrokenClient;

beforeAll(async () => {
  stack = await startStack();
  [worker, api] = [...stack.workers, ...stack.apis] as [Seat, Seat];
  client = createClient({ baseUrl: stack.api.url, apiKey: stack.api.key });
});
afterAll(() => stack?.stop());

const input = { brief: 'Trees along tram lines, for a city council.' };

test('a job whose workers and API are killed in every step makes the same document, and pays nothing twice', async () => {
  await stack.sim.forget();
  const calm = await endOf(client, (await client.jobs.run({ definition: article(), input })).id);
  expect(calm).toMatchObject({ status: 'completed', error: null });
  const calmCalls = (await stack.sim.calls()).length;
  await stack.sim.forget();

  const { id } = await client.jobs.run({ definition: article(), input });
  const events: FollowedJobEvent[] = [];
  const harmed = new Set<string>();
  const restarts = new Map<Seat, Promise<void>>();
  for await (const event of client.jobs.follow(id)) {
    events.push(event);
    const place = placeToHarm(event);
    if (place === null || harmed.has(place)) continue;
    const victim = harmed.size % 2 === 0 ? worker : api;
    harmed.add(place);
    // The other one continues meanwhile.
    await restarts.get(victim);
    await victim.kill();
    restarts.set(victim, victim.restart());
  }
  await Promise.all(restarts.values());
  expect(harmed.size).toBe(8);
  const job = await client.jobs.get(id);
  expect(job).toMatchObject({ status: 'completed', output: calm.output });

  const logs = logsIn(events);
  for (const log of logs.values()) expect(faultsOf(log)).toEqual([]);
  // Each item had one generation. A call is repeated only where its worker died before it learned the call's id.
  const opened = events.filter((event) => event.type === 'generation-open');
  expect(opened.map(({ attempt }) => attempt)).toEqual(opened.map(() => 1));
  expect(new Set(opened.map(({ generationId }) => generationId)).size).toBe(calmCalls);
  const orphaned = [...logs.values()]
    .flat()
    .filter(
      (event) => event.type === 'provider-error' && event.code === 'attempt_interrupted' && !event.resumable,
    );
  expect(await stack.sim.calls()).toHaveLength(calmCalls + orphaned.length);
  if (orphaned.length === 0) expect(job.costMicroUsd).toBe(calm.costMicroUsd);
});

/** Two places in each of the four steps: in the middle of its text, and its end. */
function placeToHarm(event: FollowedJobEvent): string | null {
  if (event.type === 'step-end') return `end ${event.step}`;
  if (event.type !== 'generation-event') return null;
  const { type, seq } = event.event;
  return type === 'text-delta' && seq > 6 ? `text ${event.step}` : null;
}

test('a reader that reconnects after every few events gets each of them once, while four generations run', async () => {
  const { id } = await client.jobs.run({ definition: article(), input });
  const whole = jobEvents(client, id);
  const parts: FollowedJobEvent[] = [];
  let after: string | undefined;
  for (let size = 3; ; size += 4) {
    const read = await readSome(id, after, size);
    parts.push(...read);
    after = read.at(-1)?.cursor ?? after;
    if (parts.at(-1)?.type === 'job-end') break;
  }
  const ofJob = (events: readonly FollowedJobEvent[]) =>
    events.filter(({ type }) => type !== 'generation-event').map(({ cursor: _cursor, ...event }) => event);
  expect(ofJob(parts)).toEqual(ofJob(await whole));
  const texts = (events: readonly FollowedJobEvent[]) =>
    [...logsIn(events)].map(([generation, log]) => [generation, textOf(log)] as const).sort();
  expect(texts(parts)).toEqual(texts(await whole));
  for (const log of logsIn(parts).values()) expect(faultsOf(log)).toEqual([]);
  // At the end of its events there is nothing more to get.
  expect(await readSome(id, after, 1)).toEqual([]);
});

async function readSome(jobId: string, after: string | undefined, size: number): Promise<FollowedJobEvent[]> {
  const events: FollowedJobEvent[] = [];
  for await (const event of client.jobs.follow(jobId, after === undefined ? {} : { after })) {
    events.push(event);
    if (events.length === size) break;
  }
  return events;
}

describe('a rerun', () => {
  test('repeats a step with another model and what needs it, keeps the rest, and leaves the first job as it was', async () => {
    const first = await endOf(client, (await client.jobs.run({ definition: article(), input })).id);
    await stack.sim.forget();
    const steps = { edit: { model: 'simulated/sim-small' } };
    const rerun = await endOf(client, (await client.jobs.rerun(first.id, { from: 'edit', steps })).id);
    expect(rerun).toMatchObject({ status: 'completed', rerunOf: { jobId: first.id, from: 'edit' } });
    expect(rerun.steps.map(({ name, status }) => [name, status])).toEqual([
      ['outline', 'reused'],
      ['sections', 'reused'],
      ['edit', 'completed'],
      ['metadata', 'completed'],
    ]);
    expect(await stack.sim.calls()).toHaveLength(2);
    expect((await client.jobs.get(first.id)).output).toBe(first.output);
    const [sections, before] = await Promise.all(
      [rerun, first].map(({ id }) => client.jobs.step(id, 'sections')),
    );
    expect(sections?.value).toEqual(before?.value);
    const { steps: compared, jobs } = await client.jobs.compare(first.id, rerun.id);
    expect(compared.slice(0, 2)).toMatchObject([{ isSame: true }, { isSame: true }]);
    expect(jobs.map(({ costMicroUsd }) => costMicroUsd)).toEqual([first.costMicroUsd, rerun.costMicroUsd]);
    expect(rerun.costMicroUsd).toBeLessThan(first.costMicroUsd);
  });

  test('of a job that runs is refused', async () => {
    const { id } = await client.jobs.run({ definition: { steps: { one: { input: slow('x', 400) } } } });
    await expect(client.jobs.rerun(id, { from: 'one' })).rejects.toMatchObject({ code: 'job_conflict' });
    await client.jobs.cancel(id);
    expect(await endOf(client, id)).toMatchObject({ status: 'cancelled', output: null });
  });
});

const withApproval = (approve: object = {}): NewPipeline => ({
  steps: {
    draft: { input: quick('A draft') },
    publish: { approve: { message: 'Publish? {{/steps/draft}}', ...approve } },
    post: {
      needs: ['publish'],
      input: quick('Post it: {{/steps/publish/approved}} {{/steps/publish/note|/steps/draft}}'),
    },
  },
  output: '{{/steps/publish/approved}}: {{/steps/post}}',
});

async function waiting(jobId: string): Promise<JobView> {
  return waitFor('the job to wait for a person', async () => {
    const job = await client.jobs.get(jobId);
    return job.status === 'waiting' && job;
  });
}

describe('a step that a person decides about', () => {
  test('waits; the first decision counts, also when it is sent twice and its API is killed', async () => {
    const { id } = await client.jobs.run({ definition: withApproval() });
    const job = await waiting(id);
    expect(job.steps[1]?.approval?.message).toContain('Publish?');
    await worker.kill();
    await client.jobs.approve(id, 'publish', { note: 'Well done.' });
    await api.kill();
    await Promise.all([worker.restart(), api.restart()]);
    await client.jobs.approve(id, 'publish', { note: 'Again.' });
    await expect(client.jobs.reject(id, 'publish')).rejects.toMatchObject({ code: 'job_conflict' });
    const done = await endOf(client, id);
    expect(done.status).toBe('completed');
    expect(done.output).toMatch(/^true: /);
    expect((await client.jobs.step(id, 'publish')).value).toEqual({
      approved: true,
      by: 'dev',
      note: 'Well done.',
    });
  });

  test('ends the job when it is rejected, with the step and the fix; nothing after it runs', async () => {
    const { id } = await client.jobs.run({ definition: withApproval() });
    await waiting(id);
    await client.jobs.reject(id, 'publish', { note: 'No.' });
    const job = await endOf(client, id);
    expect(job).toMatchObject({
      status: 'failed',
      error: { code: 'job_step_failed', details: { step: 'publish', cause: 'job_rejected' } },
    });
    expect(job.steps[2]?.status).toBe('pending');
  });

  test('decides as the pipeline says when nobody does in time', async () => {
    const approve = { timeoutMs: 100, onReject: 'continue' };
    const job = await endOf(client, (await client.jobs.run({ definition: withApproval(approve) })).id);
    expect(job.output).toMatch(/^false: /);
    expect((await client.jobs.step(job.id, 'publish')).value).toEqual({
      approved: false,
      by: null,
      note: null,
    });
  });

  test('cannot be decided before it waits', async () => {
    const { id } = await client.jobs.run({ definition: withApproval() });
    await expect(client.jobs.approve(id, 'draft')).rejects.toMatchObject({ code: 'job_conflict' });
    await expect(client.jobs.approve(id, 'nothing')).rejects.toMatchObject({ code: 'not_found' });
    await client.jobs.cancel(id);
    await endOf(client, id);
  });
});

test('a paused job begins nothing, resumes where it was, and both are in its events', async () => {
  const definition: NewPipeline = {
    input: { all: { type: 'list' } },
    steps: { each: { foreach: '/input/all', input: slow('{{/item}}', 80), maxParallel: 1 } },
  };
  const { id } = await client.jobs.run({ definition, input: { all: ['one', 'two', 'three'] } });
  await waitFor('the first item', async () => (await client.jobs.step(id, 'each')).generations.length > 0);
  expect((await client.jobs.pause(id)).status).toBe('paused');
  await waitFor('the end of what ran', async () => {
    const { generations } = await client.jobs.step(id, 'each');
    return generations.every(({ status }) => status !== 'running');
  });
  const before = (await client.jobs.step(id, 'each')).generations.length;
  expect(before).toBeLessThan(3);
  await worker.kill();
  await worker.restart();
  expect((await client.jobs.step(id, 'each')).generations).toHaveLength(before);
  await client.jobs.resume(id);
  expect(await endOf(client, id)).toMatchObject({ status: 'completed', steps: [{ done: 3, failed: 0 }] });
  const types = (await jobEvents(client, id)).map(({ type }) => type);
  expect(types.filter((type) => type === 'job-pause' || type === 'job-resume')).toEqual([
    'job-pause',
    'job-resume',
  ]);
});

describe('what a job may cost', () => {
  test('starts nothing whose worst case is more than what is left, and says so', async () => {
    const definition: NewPipeline = {
      steps: {
        one: { input: quick('one'), maxOutputTokens: 100 },
        two: { needs: ['one'], input: quick('two'), maxOutputTokens: 100_000 },
      },
    };
    const { steps } = await client.jobs.estimate({ definition });
    const [first, second] = steps.map(({ maxCostMicroUsd }) => maxCostMicroUsd ?? 0);
    expect(second).toBeGreaterThan(first ?? 0);
    await stack.sim.forget();
    const { id } = await client.jobs.run({ definition, maxCostMicroUsd: (first ?? 0) + 1_000 });
    const job = await endOf(client, id);
    expect(job).toMatchObject({
      status: 'failed',
      error: { details: { step: 'two', cause: 'job_budget_exceeded' } },
    });
    expect(await stack.sim.calls()).toHaveLength(1);
    expect(job.costMicroUsd).toBeLessThanOrEqual(first ?? 0);
  });

  test('holds for items that run at once: one waits for what another leaves', async () => {
    const definition: NewPipeline = {
      input: { all: { type: 'list' } },
      steps: { each: { foreach: '/input/all', input: quick('{{/item}}'), maxOutputTokens: 1_000 } },
    };
    const job = { definition, input: { all: [1, 2, 3, 4, 5, 6] } };
    const { maxCostMicroUsd } = await client.jobs.estimate(job);
    // Room for the worst case of two, and for what all six really cost.
    const limit = Math.ceil((maxCostMicroUsd ?? 0) / 3);
    const done = await endOf(client, (await client.jobs.run({ ...job, maxCostMicroUsd: limit })).id);
    expect(done).toMatchObject({ status: 'completed', steps: [{ done: 6, failed: 0 }] });
    expect(done.costMicroUsd).toBeLessThanOrEqual(limit);
  });
});

test('a step is skipped where its condition does not hold, an item may fail, and its error is on record', async () => {
  const definition: NewPipeline = {
    input: { all: { type: 'list' } },
    steps: {
      skipped: { when: { value: '/input/all', moreThan: 9 }, input: 'never' },
      each: {
        foreach: '/input/all',
        input: quick('{{/item}}'),
        onError: 'continue',
        // Only the first item has a text at this place.
        system: '{{/item/name}}',
        retries: 2,
      },
      last: { input: quick('{{/steps/skipped|/steps/each}}') },
    },
  };
  const job = await endOf(
    client,
    (await client.jobs.run({ definition, input: { all: [{ name: 'a' }, {}] } })).id,
  );
  expect(job.status).toBe('completed');
  expect(job.steps.map(({ status, failed }) => [status, failed])).toEqual([
    ['skipped', 0],
    ['completed', 1],
    ['completed', 0],
  ]);
  const { generations, value } = await client.jobs.step(job.id, 'each');
  // What another generation cannot change is not repeated.
  expect(generations.filter(({ item }) => item === 1)).toMatchObject([
    { generationId: null, error: { code: 'invalid_request' } },
  ]);
  expect(value).toEqual([expect.any(String), null]);
});

test('a job that is not done at its deadline ends with an error, and so does what it runs', async () => {
  const definition: NewPipeline = { steps: { one: { input: slow('x', 4_000, 50) } }, deadlineMs: 1_500 };
  const job = await endOf(client, (await client.jobs.run({ definition })).id);
  expect(job).toMatchObject({ status: 'failed' });
  expect(JSON.stringify(job.error)).toMatch(/timeout/);
  const { generations } = await client.jobs.step(job.id, 'one');
  expect(generations[0]?.status).not.toBe('running');
});

describe('a request for a job', () => {
  test('with the same key joins its job; with another body it is refused', async () => {
    const definition: NewPipeline = { steps: { one: { input: quick('once') } } };
    const key = { idempotencyKey: 'the same job' };
    await stack.sim.forget();
    const jobs = await Promise.all([1, 2, 3].map(() => client.jobs.run({ definition }, key)));
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    await endOf(client, jobs[0]?.id ?? '');
    expect(await stack.sim.calls()).toHaveLength(1);
    await expect(client.jobs.run({ definition, priority: 1 }, key)).rejects.toMatchObject({
      code: 'idempotency_conflict',
    });
    await refusesExpiredKey(stack, client);
  });

  test('of a stored pipeline takes the version of its label, and names every fault before it starts', async () => {
    const name = 'e2e-greeting';
    const steps = (text: string) => ({ hello: { input: quick(`${text} {{/input/who}}`) } });
    const inputs = { input: { who: {} } };
    const first = await client.pipelines.add({ name, ...inputs, steps: steps('Hello') });
    expect(await client.pipelines.add({ name, ...inputs, steps: steps('Hello') })).toMatchObject({
      version: first.version,
    });
    await client.pipelines.add({ name, ...inputs, steps: steps('Goodbye') });
    await client.pipelines.setLabel(name, 'production', first.version);
    const job = await endOf(
      client,
      (await client.jobs.run({ pipeline: { name }, input: { who: 'Ann' } })).id,
    );
    expect(job).toMatchObject({ status: 'completed', pipeline: { name, version: first.version } });
    await expect(client.jobs.run({ pipeline: { name } })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(client.jobs.run({ pipeline: { name: 'unknown' } })).rejects.toMatchObject({
      code: 'pipeline_not_found',
    });
    const bad: NewPipeline = {
      steps: {
        a: { input: 'x', prompt: { name: 'unknown', variables: {} } },
        b: { input: 'x', model: 'no/model' },
      },
    };
    await expect(client.jobs.run({ definition: bad })).rejects.toMatchObject({ message: /steps\.a\.prompt/ });
    expect((await client.jobs.list()).map(({ id }) => id)).toContain(job.id);
  });

  test('of another user or tenant finds nothing', async () => {
    const { id } = await client.jobs.run({ definition: { steps: { one: { input: quick('mine') } } } });
    await endOf(client, id);
    for (const owner of [
      { tenant: 'other', user: 'dev' },
      { user: 'ann', scopes: ['generate' as const] },
    ]) {
      const stranger = connectApi(stack.api.url, await stack.addKey(owner));
      for (const path of ['', '/events', '/steps/one', `/compare/${id}`]) {
        expect((await stranger.send(`/v1/jobs/${id}${path}`)).status).toBe(404);
      }
      expect(await (await stranger.send('/v1/jobs')).json()).toEqual({ data: [], next: null });
    }
  });
});

test('`unbroken jobs run` prints the document, and approve and rerun work from the command line', async () => {
  const run = await runCli(stack.api, ['jobs', 'run', ARTICLE, '--input', 'brief=Night buses']);
  expect(run).toMatchObject({ code: 0 });
  expect(run.out).toContain('keywords:');
  const [id = ''] = run.error.split('\n');
  const shown = await runCli(stack.api, ['jobs', 'show', id]);
  expect(shown.out).toContain('sections\tcompleted');
  const estimate = await runCli(stack.api, ['jobs', 'run', ARTICLE, '--input', 'brief=x', '--estimate']);
  expect(estimate.out).toMatch(/sections\t10 x/);
  const rerun = await runCli(stack.api, ['jobs', 'rerun', id, '--from', 'metadata']);
  expect(rerun.error).toContain(`edit: as in ${id}`);
  const { id: waits } = await client.jobs.run({ definition: withApproval() });
  await waiting(waits);
  expect((await runCli(stack.api, ['jobs', 'approve', waits])).error).toContain('publish: approved.');
  expect((await runCli(stack.api, ['jobs', 'follow', waits])).code).toBe(0);
});
