import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Scope, Ticket } from '../../contracts/keys.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { openStreamSocket } from '../harness/stream-socket.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

/** Every route that reads or changes one thing of a tenant, by its place in add-routes.ts. `id` is filled in. */
interface Route {
  readonly method: string;
  readonly path: string;
  readonly of: 'generation' | 'job' | 'schedule' | 'key' | 'endpoint' | 'delivery' | 'erasure';
  readonly needs?: 'admin';
  readonly body?: object;
}
const ROUTES: readonly Route[] = [
  { method: 'get', path: '/generations/:id', of: 'generation' },
  { method: 'get', path: '/generations/:id/events', of: 'generation' },
  { method: 'post', path: '/generations/:id/cancel', of: 'generation' },
  { method: 'post', path: '/generations/:id/cap', of: 'generation', needs: 'admin' },
  { method: 'post', path: '/generations/:id/stop', of: 'generation', needs: 'admin' },
  { method: 'post', path: '/generations/:id/continue', of: 'generation', body: {} },
  { method: 'post', path: '/generations/:id/feedback', of: 'generation', body: { score: 1 } },
  { method: 'get', path: '/generations/:id/feedback', of: 'generation' },
  { method: 'get', path: '/generations/:id/standing', of: 'generation' },
  { method: 'get', path: '/generations/:id/pages/:page', of: 'generation' },
  { method: 'delete', path: '/generations/:id', of: 'generation' },
  { method: 'get', path: '/jobs/:id', of: 'job' },
  { method: 'delete', path: '/jobs/:id', of: 'job' },
  { method: 'get', path: '/jobs/:id/events', of: 'job' },
  { method: 'get', path: '/jobs/:id/steps/:step', of: 'job' },
  { method: 'get', path: '/jobs/:id/compare/:other', of: 'job' },
  { method: 'post', path: '/jobs/:id/cancel', of: 'job' },
  { method: 'post', path: '/jobs/:id/pause', of: 'job' },
  { method: 'post', path: '/jobs/:id/resume', of: 'job' },
  { method: 'post', path: '/jobs/:id/rerun', of: 'job', body: { from: 'one' } },
  { method: 'post', path: '/jobs/:id/steps/:step/approve', of: 'job' },
  { method: 'post', path: '/jobs/:id/steps/:step/reject', of: 'job' },
  { method: 'get', path: '/schedules/:id', of: 'schedule' },
  { method: 'delete', path: '/schedules/:id', of: 'schedule' },
  { method: 'post', path: '/schedules/:id/pause', of: 'schedule' },
  { method: 'post', path: '/schedules/:id/unpause', of: 'schedule' },
  { method: 'post', path: '/schedules/:id/trigger', of: 'schedule' },
  {
    method: 'post',
    path: '/schedules/:id/backfill',
    of: 'schedule',
    body: { from: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' },
  },
  { method: 'get', path: '/erasures/:id', of: 'erasure' },
  { method: 'post', path: '/keys/:id/rotate', of: 'key' },
  { method: 'delete', path: '/keys/:id', of: 'key' },
  { method: 'get', path: '/webhook_endpoints/:id', of: 'endpoint', needs: 'admin' },
  {
    method: 'post',
    path: '/webhook_endpoints/:id',
    of: 'endpoint',
    needs: 'admin',
    body: { name: 'theirs' },
  },
  { method: 'delete', path: '/webhook_endpoints/:id', of: 'endpoint', needs: 'admin' },
  { method: 'post', path: '/webhook_endpoints/:id/rotate_secret', of: 'endpoint', needs: 'admin' },
  {
    method: 'post',
    path: '/webhook_endpoints/:id/test',
    of: 'endpoint',
    needs: 'admin',
    body: { event_type: 'response.completed' },
  },
  { method: 'get', path: '/webhook_deliveries/:id', of: 'delivery', needs: 'admin' },
  { method: 'post', path: '/webhook_deliveries/:id/resend', of: 'delivery', needs: 'admin' },
];

/** What is named by its owner: each tenant has its own names, so another's is never met. */
const OWN_NAMES = [
  'get /prompts/:name',
  'get /prompts/:name/versions/:version',
  'get /prompts/:name/stats',
  'get /prompts/:name/feedback',
  'post /prompts/:name/versions',
  'put /prompts/:name/labels/:label',
  'delete /prompts/:name/labels/:label',
  'get /pipelines/:name',
  'get /pipelines/:name/versions/:version',
  'put /pipelines/:name/labels/:label',
  'delete /pipelines/:name/labels/:label',
  'get /cache/entries/:id',
  'delete /cache/entries/:id',
  'delete /cache/entries/:id/complaints/:generation',
  'delete /cache/users/:user',
  'delete /users/:user/data',
];

const ALL_BUT_OPERATOR: Scope[] = ['generate', 'any-user', 'admin'];
let stack: Stack;
let generationId: string;
let keyId: string;
let endpointId: string;
let deliveryId: string;
let jobId: string;
let scheduleId: string;
let erasureId: string;
/** Callers who must find nothing of the tenant `dev`, and one of another user in it. */
const strangers: { name: string; api: UnbrokenApi }[] = [];
beforeAll(async () => {
  stack = await startStack();
  const url = 'https://hooks.invalid/';
  const secret = `whsec_${'a'.repeat(32)}`;
  const input = promptOf({ tokens: 10, delayMs: 0 });
  const body = await stack.api.submit({ input, cache: 'off', webhook: { url, secret } });
  await startReading(stack.api, body.id).whole;
  generationId = body.id;
  const endpoint = JSON.stringify({ name: 'ours', url, event_types: ['response.cancelled'] });
  const created = await stack.api.send('/v1/webhook_endpoints', { method: 'POST', body: endpoint });
  endpointId = ((await created.json()) as { id: string }).id;
  deliveryId = await waitFor('a delivery', async () => {
    const deliveries = await (await stack.api.send('/v1/webhook_deliveries')).json();
    return (deliveries as { data: { id: string }[] }).data[0]?.id;
  });
  await stack.addKey({ user: 'ann', scopes: ['generate'], name: 'of dev' });
  const listed = (await (await stack.api.send('/v1/keys')).json()) as {
    data: { id: string; name: string }[];
  };
  keyId = listed.data.find(({ name }) => name === 'of dev')?.id ?? '';
  const job = { definition: { steps: { one: { input: promptOf({ tokens: 3, delayMs: 0 }) } } } };
  const begun = await stack.api.send('/v1/jobs', { method: 'POST', body: JSON.stringify(job) });
  jobId = ((await begun.json()) as { id: string }).id;
  const schedule = { times: { cron: ['0 6 1 1 *'] }, generation: { input: 'x' }, isPaused: true };
  const scheduled = await stack.api.send('/v1/schedules', { method: 'POST', body: JSON.stringify(schedule) });
  scheduleId = ((await scheduled.json()) as { id: string }).id;
  const erased = await stack.api.send('/v1/users/nobody/data', { method: 'DELETE' });
  erasureId = ((await erased.json()) as { id: string }).id;
  const add = async (name: string, key: Promise<string>) =>
    strangers.push({ name, api: connectApi(stack.api.url, await key) });
  await add('another tenant', stack.addKey({ tenant: 'other', user: 'dev', scopes: ALL_BUT_OPERATOR }));
  await add(
    'a tenant whose name begins alike',
    stack.addKey({ tenant: 'de', user: 'dev', scopes: ALL_BUT_OPERATOR }),
  );
});
afterAll(() => stack?.stop());

const pathOf = ({ path, of }: (typeof ROUTES)[number]) => {
  const id = {
    generation: generationId,
    key: keyId,
    endpoint: endpointId,
    delivery: deliveryId,
    job: jobId,
    schedule: scheduleId,
    erasure: erasureId,
  }[of];
  return `/v1${path.replace(':id', id).replace(':page', '0').replace(':step', 'one').replace(':other', jobId)}`;
};

function ask(api: UnbrokenApi, route: Route): Promise<Response> {
  const body = route.body === undefined ? {} : { body: JSON.stringify(route.body) };
  return api.send(pathOf(route), { method: route.method.toUpperCase(), ...body });
}

test('the table has every route with a parameter', () => {
  const app = readFileSync(new URL('../../api/routes/add-routes.ts', import.meta.url), 'utf8');
  const routes = [...app.matchAll(/\b(?:v1|admin)\.(get|post|put|patch|delete)\(\s*'([^']*:[^']*)'/g)];
  expect(routes.map(([, method, path]) => `${method} ${path}`).sort()).toEqual(
    [...OWN_NAMES, ...ROUTES.map(({ method, path }) => `${method} ${path}`)].sort(),
  );
});

describe('what belongs to one tenant does not exist for another', () => {
  test.each(ROUTES)('$method $path is 404', async (route) => {
    for (const { api } of strangers) {
      const response = await ask(api, route);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: { code: 'not_found' } });
    }
  });

  test('a prompt of the same name is another prompt, and none is met by its name', async () => {
    const send = (api: UnbrokenApi, method: string, path: string, body?: object) =>
      api.send(`/v1/prompts/ours${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    expect((await send(stack.api, 'POST', '/versions', { system: 'Ours.' })).status).toBe(201);
    expect((await send(stack.api, 'PUT', '/labels/live', { version: 1 })).ok).toBe(true);
    for (const { api } of strangers) {
      for (const path of ['', '/versions/1', '/stats'])
        expect((await send(api, 'GET', path)).status).toBe(404);
      expect((await send(api, 'DELETE', '/labels/live')).status).toBe(404);
      expect((await send(api, 'POST', '/versions', { system: 'Theirs.' })).status).toBe(201);
    }
    expect(await (await send(stack.api, 'GET', '/versions/1')).text()).toContain('Ours.');
    expect(await (await send(stack.api, 'GET', '')).text()).toContain('live');
  });

  test('a pipeline of the same name is another pipeline, and none is met by its name', async () => {
    const add = (api: UnbrokenApi, text: string) =>
      api.send('/v1/pipelines', {
        method: 'POST',
        body: JSON.stringify({ name: 'ours', steps: { one: { input: text } } }),
      });
    expect((await add(stack.api, 'Ours.')).status).toBe(201);
    for (const { api } of strangers) {
      expect((await api.send('/v1/pipelines/ours')).status).toBe(404);
      expect((await api.send('/v1/pipelines/ours/labels/live', { method: 'DELETE' })).status).toBe(404);
      const job = { method: 'POST', body: JSON.stringify({ pipeline: { name: 'ours', version: 1 } }) };
      expect((await api.send('/v1/jobs', job)).status).toBe(404);
      expect((await add(api, 'Theirs.')).status).toBe(201);
    }
    expect(await (await stack.api.send('/v1/pipelines/ours/versions/1')).text()).toContain('Ours.');
  });

  test('a WebSocket learns that it is not found', async () => {
    for (const { api } of strangers) {
      const socket = await openStreamSocket(api);
      socket.send({ type: 'subscribe', generationId });
      await waitFor('an answer', () => socket.frames.length > 0);
      expect(socket.frames).toMatchObject([{ type: 'error', error: { code: 'not_found' } }]);
      await socket.close();
    }
  });

  test('no list shows it, no ticket is made for it, and no idempotency key meets it', async () => {
    for (const { api } of strangers) {
      const runs = (await (await api.send('/v1/generations')).json()) as { data: unknown[] };
      expect(runs.data).toEqual([]);
      const jobs = (await (await api.send('/v1/jobs')).json()) as { data: unknown[] };
      expect(jobs.data).toEqual([]);
      const schedules = (await (await api.send('/v1/schedules')).json()) as { data: unknown[] };
      expect(schedules.data).toEqual([]);
      const entries = (await (await api.send('/v1/budgets/entries')).json()) as { data: unknown[] };
      expect(entries.data).toEqual([]);
      const keys = (await (await api.send('/v1/keys')).json()) as { data: { tenant: string }[] };
      expect(keys.data.map(({ tenant }) => tenant)).not.toContain('dev');
      expect((await api.send('/v1/keys?tenant=dev')).status).toBe(403);
      const ticket = await api.send('/v1/tickets', {
        method: 'POST',
        body: JSON.stringify({ generationId }),
      });
      expect(ticket.status).toBe(404);
    }
    const request = { input: promptOf({ tokens: 5, delayMs: 0 }), cache: 'off' as const };
    // A busy machine may answer 503, which a client repeats.
    const ids = await Promise.all(
      [stack.api, ...strangers.map(({ api }) => api)].map((api) =>
        waitFor('a generation', async () => (await api.create(request, 'same')).body.id),
      ),
    );
    expect(new Set(ids).size).toBe(3);
  });

  test('and all of it is there for its own tenant', async () => {
    expect((await stack.api.view(generationId)).status).toBe(200);
    expect((await stack.api.send(`/v1/jobs/${jobId}`)).status).toBe(200);
    expect((await stack.api.send(`/v1/schedules/${scheduleId}`, { method: 'DELETE' })).status).toBe(204);
    expect((await stack.api.send('/v1/keys?tenant=other')).status).toBe(200);
    expect((await stack.api.send(`/v1/webhook_endpoints/${endpointId}`)).status).toBe(200);
    expect((await stack.api.send(`/v1/webhook_deliveries/${deliveryId}`)).status).toBe(200);
    expect((await stack.api.send(`/v1/keys/${keyId}`, { method: 'DELETE' })).status).toBe(204);
  });
});

describe('a key of one user, without the scope any-user', () => {
  let ann: UnbrokenApi;
  let ofAnn: string;
  beforeAll(async () => {
    ann = connectApi(stack.api.url, await stack.addKey({ user: 'ann', scopes: ['generate'] }));
    const { body } = await ann.create({ input: promptOf({ tokens: 10, delayMs: 0 }), cache: 'off' });
    ofAnn = body.id;
    await startReading(ann, ofAnn).whole;
  });

  test('reads what its user began, and what others of the tenant began is 404', async () => {
    expect((await ann.view(ofAnn)).body).toMatchObject({ user: 'ann', status: 'completed' });
    for (const route of ROUTES.filter(({ of }) => of !== 'key')) {
      const response = await ask(ann, route);
      expect(response.status).toBe(route.needs === 'admin' ? 403 : 404);
    }
    const listed = await waitFor('the list to show it', async () => {
      const { data } = (await (await ann.send('/v1/generations')).json()) as { data: { user: string }[] };
      return data.length > 0 && data;
    });
    expect(new Set(listed.map(({ user }) => user))).toEqual(new Set(['ann']));
  });

  test('debits no other tenant, and administers nothing', async () => {
    const refused = await ann.create({ input: 'x', user: 'bob' });
    expect([refused.status, refused.body.error.code]).toEqual([403, 'forbidden']);
    expect((await ann.create({ input: 'x', user: 'ann', cache: 'off' })).status).toBe(201);
    for (const path of ['/v1/keys', '/v1/codec/decode']) {
      const response = await ann.send(
        path,
        path === '/v1/keys' ? {} : { method: 'POST', body: '{"payloads":[]}' },
      );
      expect(response.status).toBe(403);
    }
  });

  test('does not meet what another user began under the same idempotency key', async () => {
    const request = { input: promptOf({ tokens: 5, delayMs: 0 }), cache: 'off' as const };
    const bob = connectApi(stack.api.url, await stack.addKey({ user: 'bob', scopes: ['generate'] }));
    const [first, other, again] = [
      await ann.create(request, 'k'),
      await bob.create(request, 'k'),
      await ann.create(request, 'k'),
    ];
    expect(first.body.id).not.toBe(other.body.id);
    expect(again.body.id).toBe(first.body.id);
  });
});

test('what readers thought of a prompt is for keys that may read all users', async () => {
  const path = '/v1/prompts/ours/feedback';
  const keyFor = async (scopes: Scope[]) =>
    connectApi(stack.api.url, await stack.addKey({ user: 'ann', scopes }));
  const refused = await (await keyFor(['generate'])).send(path);
  expect([refused.status, await refused.json()]).toMatchObject([403, { error: { code: 'forbidden' } }]);
  for (const scopes of [
    ['generate', 'any-user'],
    ['generate', 'admin'],
  ] satisfies Scope[][]) {
    expect((await (await keyFor(scopes)).send(path)).status).toBe(200);
  }
});

describe('a ticket', () => {
  const ticketFor = async (body: object) => {
    const response = await stack.api.send('/v1/tickets', { method: 'POST', body: JSON.stringify(body) });
    expect(response.status).toBe(201);
    return ((await response.json()) as Ticket).ticket;
  };
  const events = (ticket: string, id = generationId) =>
    fetch(`${stack.api.url}/v1/generations/${id}/events?ticket=${ticket}`);

  test('opens a stream without any header, once', async () => {
    const ticket = await ticketFor({ generationId });
    const response = await events(ticket);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('generation-end');
    expect((await events(ticket)).status).toBe(401);
  });

  test('for one generation opens no other', async () => {
    const body = await stack.api.submit({ input: promptOf({ tokens: 5, delayMs: 0 }), cache: 'off' });
    expect((await events(await ticketFor({ generationId: body.id }))).status).toBe(404);
    const socket = await openStreamSocket({ url: stack.api.url, ticket: await ticketFor({ generationId }) });
    socket.send({ type: 'subscribe', generationId: body.id });
    socket.send({ type: 'subscribe', generationId });
    await waitFor('its own end', () => socket.frames.some(({ type }) => type === 'unsubscribed'));
    expect(socket.events(body.id)).toEqual([]);
    expect(socket.events(generationId).at(-1)?.type).toBe('generation-end');
    expect(socket.frames.find(({ type }) => type === 'error')).toMatchObject({ generationId: body.id });
    await socket.close();
  });

  test('that reconnects is good again, as an EventSource comes back with the same URL', async () => {
    const ticket = await ticketFor({ generationId, reconnects: true });
    for (let use = 0; use < 3; use += 1) {
      const response = await events(ticket);
      expect(response.status).toBe(200);
      await response.text();
    }
  });

  test('opens nothing but streams', async () => {
    const ticket = await ticketFor({});
    for (const [method, path] of [
      ['GET', `/v1/generations/${generationId}`],
      ['GET', '/v1/generations'],
      ['POST', '/v1/generations'],
      ['POST', '/v1/tickets'],
      ['GET', '/v1/keys'],
    ] as const) {
      const response = await fetch(`${stack.api.url}${path}?ticket=${ticket}`, { method });
      expect(response.status).toBe(401);
    }
    expect((await events(ticket)).status).toBe(200);
  });
});
