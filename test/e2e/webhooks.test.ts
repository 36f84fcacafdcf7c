/** Webhooks as a receiver gets them: with the official client, through errors, kills and repeats. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { createClient, type UnbrokenClient } from '../../clients/typescript/index.ts';
import type { DeliveryView } from '../../contracts/webhooks.ts';
import { connectRedis } from '../../platform/redis/redis-connection.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { redisText, temporalText } from '../harness/stored-text.ts';
import { closeTemporalClients, streamingWorker, temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

interface Received {
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** Keeps what it receives, by path, and answers as the test says. */
class Receiver {
  readonly #server: Server;
  readonly #received = new Map<string, Received[]>();
  readonly #answers = new Map<string, number[]>();

  constructor() {
    this.#server = createServer(async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      const path = request.url ?? '';
      this.#received.set(path, [...this.at(path), { body, headers: request.headers }]);
      response.writeHead(this.#answers.get(path)?.shift() ?? 200).end();
    });
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  url(path: string): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}${path}`;
  }

  at(path: string): readonly Received[] {
    return this.#received.get(path) ?? [];
  }

  /** The next answers at this path; then 200. */
  answer(path: string, ...statuses: number[]): void {
    this.#answers.set(path, statuses);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const SECRET = `whsec_${Buffer.from('a secret of one request, long enough').toString('base64')}`;
const OF_RESPONSES = [
  'response.completed',
  'response.failed',
  'response.incomplete',
  'response.cancelled',
] as const;
const OF_BATCHES = ['batch.completed', 'batch.failed', 'batch.expired', 'batch.cancelled'] as const;
const OF_JOBS = ['job.completed', 'job.failed', 'job.cancelled', 'job.approval_required'] as const;
const ALL = [...OF_RESPONSES, ...OF_BATCHES, ...OF_JOBS] as const;

const receiver = new Receiver();
let stack: Stack;
let client: UnbrokenClient;
let openai: OpenAI;
beforeAll(async () => {
  await receiver.start();
  stack = await startStack({ workers: 2, config: { webhooks: { allowPrivateNetwork: true } } });
  client = createClient({ baseUrl: stack.api.url, apiKey: stack.api.key });
  openai = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: stack.api.key });
});
afterAll(async () => {
  receiver.stop();
  await closeTemporalClients();
  await stack?.stop();
});

let path = '';
let paths = 0;
beforeEach(() => {
  paths += 1;
  path = `/hook-${paths}`;
});

const untilReceived = async (count = 1) => {
  await waitFor(`${count} deliveries`, () => receiver.at(path).length >= count);
  return receiver.at(path);
};
const unwrap = ({ body, headers }: Received, secret: string) =>
  openai.webhooks.unwrap(body, headers as Record<string, string>, secret);
const webhook = (more = {}) => ({ url: receiver.url(path), secret: SECRET, ...more });
const read = async (way: string, method = 'GET'): Promise<unknown> => {
  const response = await stack.api.send(way, { method });
  expect(response.ok).toBe(true);
  return response.json();
};
const delivery = async (id: string) => (await read(`/v1/webhook_deliveries/${id}`)) as DeliveryView;

describe('the webhook of one request', () => {
  test('learns of the end, and the official client reads it and the response', async () => {
    const { id } = await client.submit({ input: promptOf({ tokens: 5, delayMs: 0 }), webhook: webhook() });
    const [received] = await untilReceived();
    if (received === undefined) throw new Error('nothing was received');
    const event = await unwrap(received, SECRET);
    expect(event).toMatchObject({
      object: 'event',
      type: 'response.completed',
      data: { id: id.replace('gen_', 'resp_'), generation_id: id, status: 'completed' },
    });
    await expect(unwrap(received, SECRET.replace('YSBz', 'YSBx'))).rejects.toThrow();
    if (event.type !== 'response.completed') throw new Error('another event');
    expect(await openai.responses.retrieve(event.data.id)).toMatchObject({ status: 'completed' });
  });

  test.each([
    ['response.incomplete', { input: promptOf({ tokens: 50, delayMs: 0 }), maxOutputTokens: 5 }],
    ['response.failed', { input: 'This fails.', model: 'simulated/sim-large' }],
  ])('learns of %s', async (type, request) => {
    if (type === 'response.failed') {
      await stack.sim.fault({ kind: 'status', status: 400, match: request.input, times: 9 });
    }
    await client.submit({ ...request, cache: 'off', webhook: webhook() });
    const [received] = await untilReceived();
    expect(JSON.parse(received?.body ?? '{}')).toMatchObject({ type });
    await stack.sim.clearFaults();
  });

  test('learns of a cancellation, if it asks for that alone', async () => {
    const events = ['response.cancelled' as const];
    const done = await client.submit({ input: 'Done. [[sim tokens=3]]', webhook: webhook({ events }) });
    await startReading(stack.api, done.id).whole;
    const input = promptOf({ tokens: 500, delayMs: 20 });
    const { id } = await client.submit({ input, cache: 'off', webhook: webhook({ events }) });
    await client.cancel(id);
    await untilReceived();
    const types = receiver.at(path).map(({ body }) => (JSON.parse(body) as { type: string }).type);
    expect(types).toEqual(['response.cancelled']);
  });

  test('stays out of the history of its generation', async () => {
    const input = promptOf({ tokens: 5, delayMs: 0 });
    const { id } = await client.submit({ input, webhook: webhook({ url: receiver.url(`${path}?t=hush`) }) });
    await startReading(stack.api, id).whole;
    const temporal = await temporalClient(stack.env);
    const history = await temporal.workflow.getHandle(`dev/${id}`).fetchHistory();
    const payloads = (history.events ?? []).map((event) => JSON.stringify(event)).join();
    const decoded = payloads.replace(/"data":"([A-Za-z0-9+/=]+)"/g, (_, data: string) => atob(data));
    expect(decoded).toContain(id);
    expect(decoded).not.toContain('hush');
    expect(decoded).not.toContain(SECRET.slice(6));
  });

  test('without a secret needs that of the tenant', async () => {
    const key = await stack.addKey({ tenant: 'without', user: 'ann', scopes: ['generate', 'admin'] });
    const other = createClient({ baseUrl: stack.api.url, apiKey: key });
    const request = { input: 'Hello. [[sim tokens=3]]', webhook: { url: receiver.url(path) } };
    await expect(other.submit(request)).rejects.toMatchObject({ status: 400, code: 'invalid_request' });
    const admin = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: key });
    const { signing_secret: secret } = await admin.webhooks.rotateSecret('default');
    await other.submit(request);
    const [received] = await untilReceived();
    if (received === undefined) throw new Error('nothing was received');
    expect(await unwrap(received, secret)).toMatchObject({ type: 'response.completed' });
  });
});

describe('a registered endpoint', () => {
  test('is managed by the official client, and gets what it has registered for', async () => {
    const created = await openai.webhooks.create({
      name: 'all',
      url: receiver.url(path),
      event_types: ['response.completed'],
    });
    expect(await openai.webhooks.retrieve(created.id)).toMatchObject({ name: 'all' });
    expect((await openai.webhooks.eventTypes.list()).data).toEqual([...ALL]);
    const listed: string[] = [];
    for await (const { id } of openai.webhooks.list({ limit: 1 })) listed.push(id);
    expect(listed).toContain(created.id);
    expect(await openai.webhooks.test(created.id, { event_type: 'response.failed' })).toMatchObject({
      success: true,
      status_code: 200,
    });
    const rotated = await openai.webhooks.rotateSecret(created.id, {
      keep_old_secret_active_for_24_hours: true,
    });
    await openai.responses.create({ model: 'simulated/sim-large', input: 'Hello. [[sim tokens=3]]' });
    const [sample, received] = await untilReceived(2);
    if (sample === undefined || received === undefined) throw new Error('nothing was received');
    expect(await unwrap(sample, created.signing_secret)).toMatchObject({ type: 'response.failed' });
    for (const secret of [created.signing_secret, rotated.signing_secret]) {
      expect(await unwrap(received, secret)).toMatchObject({ type: 'response.completed' });
    }
    expect(await openai.webhooks.update(created.id, { name: 'new' })).toMatchObject({ name: 'new' });
    expect(await openai.webhooks.delete(created.id)).toMatchObject({ deleted: true });
    await expect(openai.webhooks.retrieve(created.id)).rejects.toMatchObject({ status: 404 });
  });

  test('needs the scope admin', async () => {
    const key = await stack.addKey({ user: 'ann', scopes: ['generate', 'any-user'] });
    const plain = new OpenAI({ baseURL: `${stack.api.url}/v1`, apiKey: key });
    await expect(plain.webhooks.list()).rejects.toMatchObject({ status: 403 });
  });
});

describe('the webhook of a job', () => {
  const step = promptOf({ tokens: 40, delayMs: 10, holdAt: 10 });
  const typesAt = () => receiver.at(path).map(({ body }) => (JSON.parse(body) as { type: string }).type);

  test('learns that a step waits for a person and that the job has ended, though its worker dies', async () => {
    const definition = {
      steps: { ask: { approve: { message: 'Begin?' } }, write: { needs: ['ask'], input: step } },
    };
    const { id } = await client.jobs.run({ definition, webhook: webhook() });
    const [waiting] = await untilReceived();
    if (waiting === undefined) throw new Error('nothing was received');
    expect(await unwrap(waiting, SECRET)).toMatchObject({
      object: 'event',
      type: 'job.approval_required',
      data: { id, status: 'waiting', step: 'ask', timeout_at_ms: null },
    });
    await client.jobs.approve(id, 'ask');
    const worker = await waitFor('it writes', async () => {
      const [generation] = (await client.jobs.step(id, 'write')).generations;
      const streaming = generation?.generationId;
      return streaming == null ? undefined : streamingWorker(stack, streaming);
    });
    await worker.kill();
    await worker.restart();
    await stack.sim.release();
    await waitFor('the end', () => typesAt().includes('job.completed'));
    const end = JSON.parse(receiver.at(path).at(-1)?.body ?? '{}') as { data: object };
    const { costMicroUsd } = await client.jobs.get(id);
    expect(end.data).toEqual({ id, status: 'completed', cost_micro_usd: costMicroUsd });
    const ids = new Set(receiver.at(path).map(({ headers }) => headers['webhook-id']));
    expect(ids.size).toBe(2);
    const deliveries = await Promise.all([...ids].map((each) => delivery(String(each))));
    expect(deliveries.map(({ eventType }) => eventType)).toEqual(['job.approval_required', 'job.completed']);
  });

  test.each(['job.failed', 'job.cancelled'] as const)(
    'learns of %s, if it asks for that alone',
    async (type) => {
      const isFailure = type === 'job.failed';
      const approve = { message: 'Fail?', timeoutMs: 100, onReject: 'fail' as const };
      const definition = {
        steps: isFailure
          ? { ask: { approve } }
          : { write: { input: promptOf({ tokens: 900, delayMs: 20 }) } },
      };
      const { id } = await client.jobs.run({ definition, webhook: webhook({ events: [type] }) });
      if (!isFailure) await client.jobs.cancel(id);
      const [received] = await untilReceived();
      expect(JSON.parse(received?.body ?? '{}')).toMatchObject({
        type,
        data: { id, ...(isFailure ? { error_code: 'job_rejected' } : {}) },
      });
      expect(typesAt()).toEqual([type]);
    },
  );

  test('is kept by a rerun, beside an endpoint that has registered for jobs', async () => {
    const endpoint = await stack.api.send('/v1/webhook_endpoints', {
      method: 'POST',
      body: JSON.stringify({
        name: 'jobs',
        url: receiver.url(`${path}-all`),
        event_types: ['job.completed'],
      }),
    });
    const { id: endpointId } = (await endpoint.json()) as { id: string };
    const definition = { steps: { write: { input: promptOf({ tokens: 3, delayMs: 0 }) } } };
    const { id } = await client.jobs.run({ definition, webhook: webhook() });
    await untilReceived();
    const rerun = await client.jobs.rerun(id, { from: 'write' });
    await untilReceived(2);
    const idsAt = (at: string) =>
      receiver.at(at).map(({ body }) => (JSON.parse(body) as { data: { id: string } }).data.id);
    expect(idsAt(path)).toEqual([id, rerun.id]);
    await waitFor('both at the endpoint', () => receiver.at(`${path}-all`).length === 2);
    expect(idsAt(`${path}-all`).sort()).toEqual([id, rerun.id].sort());
    await stack.api.send(`/v1/webhook_endpoints/${endpointId}`, { method: 'DELETE' });
  });

  test('stays out of the history of its job, and takes no event of generations', async () => {
    const definition = { steps: { write: { input: promptOf({ tokens: 3, delayMs: 0 }) } } };
    const hushed = webhook({ url: receiver.url(`${path}?t=hush`) });
    const { id } = await client.jobs.run({ definition, webhook: hushed });
    const temporal = await temporalClient(stack.env);
    await temporal.workflow.getHandle(`dev/${id}`).result();
    const text = await temporalText(stack.env, [`dev/${id}`]);
    expect([text.includes(id), text.includes('hush'), text.includes(SECRET.slice(6))]).toEqual([
      true,
      false,
      false,
    ]);
    const wrong = { definition, webhook: webhook({ events: ['response.completed'] }) };
    await expect(client.jobs.run(wrong)).rejects.toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

describe('a delivery', () => {
  test('is repeated until it is accepted, with one id, and can be sent again', async () => {
    receiver.answer(path, 500, 302);
    await client.submit({ input: promptOf({ tokens: 5, delayMs: 0 }), webhook: webhook() });
    const received = await untilReceived(3);
    const ids = new Set(received.map(({ headers }) => String(headers['webhook-id'])));
    expect(ids.size).toBe(1);
    const [id = ''] = ids;
    await waitFor('it is delivered', async () => (await delivery(id)).status === 'delivered');
    expect((await delivery(id)).latest.map(({ statusCode }) => statusCode)).toEqual([500, 302, 200]);
    const list = (await read('/v1/webhook_deliveries?limit=100')) as { data: DeliveryView[] };
    expect(list.data.map((own) => own.id)).toContain(id);
    const { run } = (await read(`/v1/webhook_deliveries/${id}/resend`, 'POST')) as { run: string };
    const again = (await untilReceived(4)).at(-1);
    expect(again?.headers['webhook-id']).toBe(id);
    expect(again?.body).toBe(received[0]?.body);
    await (await temporalClient(stack.env)).workflow.getHandle(run).result();
    expect((await delivery(id)).attempts).toBe(4);
  });

  test('is made for every generation, whichever worker dies, and its repeats have its id', async () => {
    const submitted: string[] = [];
    for (let run = 0; run < 4; run += 1) {
      const input = promptOf({ tokens: 60, delayMs: 20 });
      const { id } = await client.submit({ input, cache: 'off', webhook: webhook() });
      submitted.push(id);
      const reading = startReading(stack.api, id);
      await waitFor('it streams', () => reading.events.length > 3);
      const worker = await streamingWorker(stack, id);
      // Two die in the middle; two at the end, when the delivery is due.
      if (run >= 2) await reading.whole;
      await worker?.kill();
      await worker?.restart();
    }
    await waitFor('all are delivered', () => {
      const ends = receiver
        .at(path)
        .map(({ body }) => JSON.parse(body) as { data: { generation_id: string } });
      return submitted.every((id) => ends.some(({ data }) => data.generation_id === id));
    });
    const byId = new Map(receiver.at(path).map(({ headers, body }) => [headers['webhook-id'], body]));
    expect(byId.size).toBe(submitted.length);
  });
});

describe('the webhook of a schedule', () => {
  const times = { cron: ['0 6 1 1 *'] };
  const input = promptOf({ tokens: 5, delayMs: 0 });

  test.each([
    ['response.completed', () => ({ generation: { input, webhook: webhook() } })],
    ['job.completed', () => ({ job: { definition: { steps: { one: { input } } }, webhook: webhook() } })],
  ])('learns of %s at each tick', async (type, run) => {
    const { id } = await client.schedules.create({ times, ...run() });
    const second = () => Math.floor(Date.now() / 1_000);
    for (const count of [1, 2]) {
      await client.schedules.trigger(id);
      await untilReceived(count);
      // Temporal names the run of a tick by its second: two within one are one.
      const received = second();
      await waitFor('the next second', () => second() > received);
    }
    for (const received of receiver.at(path)) {
      expect(JSON.parse(received.body)).toMatchObject({ type });
      await expect(unwrap(received, SECRET)).resolves.toBeDefined();
    }
  });
});

test('neither an address nor a secret of all these webhooks stands in Redis', async () => {
  const redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
  const stored = await redisText(redis);
  redis.destroy();
  expect(stored).toContain('sched_');
  expect(stored).not.toContain('/hook-');
  expect(stored).not.toContain(SECRET);
});
