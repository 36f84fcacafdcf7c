/**
 * Clients with a good key, or a ticket, that try to harm others: by frames and bodies that cost more than they weigh.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import WebSocket from 'ws';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { connectRedis, type RedisConnection } from '../../platform/redis/redis-connection.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { connectApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const REQUESTS = 30;
let stack: Stack;
let redis: RedisConnection;
beforeAll(async () => {
  stack = await startStack({
    config: {
      rateLimits: { requestsPerMinute: REQUESTS },
      http: { bodyBytes: LIMITS.requestBodyBytes },
      storage: { bytesPerTenant: LIMITS.requestBodyBytes },
    },
  });
  redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
});
afterAll(async () => {
  redis?.destroy();
  await stack?.stop();
});

const newApi = async () =>
  connectApi(stack.api.url, await stack.addKey({ user: 'ann', scopes: ['generate'] }));

interface Said {
  readonly type: string;
  readonly status?: number;
  readonly error?: { readonly code: string };
}

async function openSocket(path: string, headers: Record<string, string>) {
  const client = new WebSocket(`${stack.api.url.replace('http', 'ws')}${path}`, { headers });
  const heard: Said[] = [];
  client.on('message', (data) => heard.push(JSON.parse(String(data)) as Said));
  await once(client, 'open');
  client.on('error', () => client.terminate());
  return {
    client,
    heard,
    codes: () => heard.flatMap(({ error }) => (error === undefined ? [] : [error.code])),
  };
}
const withKey = (key: string) => ({ authorization: `Bearer ${key}` });

describe('a frame', () => {
  test.each([
    ['an input nested a hundred thousand deep', `"input":${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['a hundred thousand objects', `"input":[${'{},'.repeat(LIMITS.jsonValues)}{}]`],
    ['half a character', '"input":"\\ud800"'],
  ])('to steer, with %s, is an error on that socket only, and the process lives', async (_what, field) => {
    const { key } = await newApi();
    const { client, codes } = await openSocket('/v1/responses', withKey(key));
    const pid = stack.apis[0]?.pid();
    client.send(`{"type":"response.steer","previous_response_id":"x",${field}}`);
    await waitFor('the refusal', () => codes().length === 1);
    // Before anything of it was read, not by what serves the frame.
    expect(codes()).not.toContain('steering_not_supported');
    client.send('{"type":"response.create","input":"Hi. [[sim tokens=3 delay_ms=0]]","tools":[]}');
    await waitFor(
      'an answer on the same socket',
      () => codes().length === 1 && client.readyState === client.OPEN,
    );
    expect((await fetch(`${stack.api.url}/healthz`)).status).toBe(200);
    expect([stack.apis[0]?.pid(), stack.apis[0]?.isRunning()]).toEqual([pid, true]);
    client.terminate();
  });

  test('to steer is refused without a word of what it held', async () => {
    const { key } = await newApi();
    const { client, heard } = await openSocket('/v1/responses', withKey(key));
    client.send('{"type":"response.steer","previous_response_id":"resp_1","input":"abracadabra"}');
    await waitFor('the refusal', () => heard.length === 1);
    expect(heard[0]).toMatchObject({
      type: 'response.steer.failed',
      steer: { previous_response_id: 'resp_1' },
    });
    expect(JSON.stringify(heard)).not.toContain('abracadabra');
    client.terminate();
  });
});

describe('a socket', () => {
  test('of a ticket begins no generation, whether the ticket names one or not', async () => {
    const api = await newApi();
    const body = await api.submit({ input: 'Hi. [[sim tokens=3 delay_ms=0]]', cache: 'off' });
    for (const order of [{}, { generationId: body.id }]) {
      const made = await api.send('/v1/tickets', { method: 'POST', body: JSON.stringify(order) });
      const { ticket } = (await made.json()) as { ticket: string };
      await expect(openSocket(`/v1/responses?ticket=${ticket}`, {})).rejects.toThrow('403');
    }
  });

  test('begins no more generations than its key may make requests', async () => {
    const { key } = await newApi();
    const { client, heard, codes } = await openSocket('/v1/responses', withKey(key));
    for (let turn = 0; turn < 2 * REQUESTS; turn += 1) {
      client.send(`{"type":"response.create","generate":false,"stream_id":"${turn}","input":"Hi."}`);
    }
    const prepared = () => heard.filter(({ type }) => type === 'response.completed').length;
    await waitFor('an answer to each', () => prepared() + codes().length === 2 * REQUESTS);
    expect(prepared()).toBeLessThanOrEqual(REQUESTS);
    expect(new Set(codes())).toEqual(new Set(['rate_limited']));
    client.terminate();
  });

  test('asks for no more generations than its key may make requests', async () => {
    const { key } = await newApi();
    const { client, codes } = await openSocket('/v1/stream', withKey(key));
    for (let request = 0; request < 2 * REQUESTS; request += 1) {
      const generationId = `gen_${request.toString(16).padStart(32, '0')}`;
      client.send(JSON.stringify({ type: 'subscribe', generationId }));
    }
    await waitFor('an answer to each', () => codes().length === 2 * REQUESTS);
    expect(codes().filter((code) => code === 'not_found').length).toBeLessThanOrEqual(REQUESTS);
    expect(codes()).toContain('rate_limited');
    client.terminate();
  });
});

describe('a body', () => {
  test.each([
    ['/v1/responses', '{"model":"simulated/sim-large","input":[', ']}'],
    ['/v1/chat/completions', '{"model":"simulated/sim-large","messages":[', ']}'],
    ['/v1/ui/chat', '{"id":"a","messages":[{"id":"b","role":"user","parts":[', ']}]}'],
    ['/v1/embeddings', '{"model":"simulated/sim-large","input":[', ']}'],
  ])('of more values than the limit is a short 400 at %s', async (path, before, after) => {
    const api = await newApi();
    const body = `${before}${'{},'.repeat(650_000)}{}${after}`;
    const response = await api.send(path, { method: 'POST', body });
    const text = await response.text();
    expect([response.status, text.length < 2_000]).toEqual([400, true]);
    expect(text).toContain('values');
  });

  test('with half a character is a 400 that begins nothing, in every format', async () => {
    const api = await newApi();
    await stack.sim.forget();
    for (const [path, body] of [
      ['/v1/generations', '{"input":"x","model":"simulated/\\ud800"}'],
      ['/v1/generations', '{"input":"\\udfff"}'],
      [
        '/v1/ui/chat',
        '{"id":"\\ud800","messages":[{"id":"b","role":"user","parts":[{"type":"text","text":"a"}]}]}',
      ],
      ['/v1/embeddings', '{"model":"simulated/\\ud800","input":"a"}'],
      ['/v1/responses', '{"input":"a","metadata":{"\\ud800":"b"}}'],
    ] as const) {
      const response = await api.send(path, { method: 'POST', body });
      expect([path, response.status]).toEqual([path, 400]);
    }
    expect(await stack.sim.calls()).toEqual([]);
  });

  test.each([
    'simulated/ü',
    'simulated/a b',
    'simulated/a\nb',
    'simulated/a\u0000',
    `simulated/${'x'.repeat(200)}`,
  ])('that names the model %j is a 400 in every format', async (model) => {
    const api = await newApi();
    const user = [{ role: 'user', content: 'a' }];
    for (const [path, body] of [
      ['/v1/generations', { model, input: 'a' }],
      ['/v1/responses', { model, input: 'a' }],
      ['/v1/chat/completions', { model, messages: user }],
      ['/v1/messages', { model, messages: user, max_tokens: 5 }],
      ['/v1/embeddings', { model, input: 'a' }],
    ] as const) {
      const response = await api.send(path, { method: 'POST', body: JSON.stringify(body) });
      expect([path, response.status]).toEqual([path, 400]);
      await response.text();
    }
  });
});

describe('HEAD', () => {
  test('of a stream is answered and over, though its generation runs', async () => {
    const api = await newApi();
    const body = await api.submit({ input: 'Hi. [[sim tokens=5000 delay_ms=50]]', cache: 'off' });
    const hex = body.id.replace('gen_', '');
    for (const path of [`/v1/generations/${body.id}/events`, `/v1/responses/resp_${hex}?stream=true`]) {
      const response = await api.send(path, { method: 'HEAD', signal: AbortSignal.timeout(10_000) });
      expect([path, response.status, response.headers.get('content-type')]).toEqual([
        path,
        200,
        'text/event-stream; charset=utf-8',
      ]);
      expect(await response.text()).toBe('');
      // A client hears the head alone; what comes behind it on its connection is answered when the first is over.
      const { hostname, port } = new URL(api.url);
      const connection = connect(Number(port), hostname);
      let heard = '';
      connection.on('data', (data) => {
        heard += data.toString();
      });
      connection.write(`HEAD ${path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${api.key}\r\n\r\n`);
      connection.write('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n');
      await waitFor('the answer behind it', () => heard.includes('"ok"'));
      connection.destroy();
    }
    expect((await api.view(body.id)).body.status).toBe('running');
    await api.cancel(body.id);
  });
});

describe('a template', () => {
  test('that multiplies its values is a 400, and nothing of it is stored', async () => {
    const admin = connectApi(
      stack.api.url,
      await stack.addKey({ user: 'root', scopes: ['admin', 'generate'] }),
    );
    await admin.send('/v1/prompts/big/versions', {
      method: 'POST',
      body: JSON.stringify({ system: '{{x}}'.repeat(20_000), variables: { x: {} } }),
    });
    const api = await newApi();
    const variables = { x: 'y'.repeat(20_000) };
    const body = { input: 'a', prompt: { name: 'big', version: 1, variables } };
    for (const path of ['/v1/generations', '/v1/routes/explain']) {
      const response = await api.send(path, { method: 'POST', body: JSON.stringify(body) });
      expect([path, response.status]).toEqual([path, 400]);
      expect(await response.json()).toMatchObject({ error: { code: 'prompt_variables_invalid' } });
    }
  });
});

describe('a tenant', () => {
  const inputs = (megabytes: number) => ({
    input: 'word '.repeat(200_000 * megabytes),
    cache: 'off' as const,
  });

  test('that keeps as much as it may is a 429, and another tenant is not', async () => {
    const hoarder = connectApi(stack.api.url, await stack.addKey({ tenant: 'hoarder', user: 'ann' }));
    const first = await hoarder.create({ ...inputs(5), maxOutputTokens: 5 });
    expect(first.status).toBe(201);
    const second = await hoarder.create(inputs(5));
    expect([second.status, second.body.error.code]).toEqual([429, 'storage_exceeded']);
    const third = await hoarder.create({ input: 'Hi. [[sim tokens=3 delay_ms=0]]', cache: 'off' });
    expect(third.status).toBe(201);
    const other = connectApi(stack.api.url, await stack.addKey({ tenant: 'modest', user: 'ann' }));
    expect((await other.create({ input: 'Hi. [[sim tokens=3 delay_ms=0]]', cache: 'off' })).status).toBe(201);
    await hoarder.cancel(first.body.id);
  });

  test('is counted for all that is kept of its requests, and not for their inputs alone', async () => {
    const api = connectApi(stack.api.url, await stack.addKey({ tenant: 'labeller', user: 'ann' }));
    const metadata = Object.fromEntries(
      Array.from({ length: 64 }, (_, index) => [`label${index}`, 'x'.repeat(500)]),
    );
    const { status } = await api.create({
      input: 'Hi. [[sim tokens=3 delay_ms=0]]',
      cache: 'off',
      metadata,
    });
    expect(status).toBe(201);
    const counts = await redis.hVals(REDIS_KEYS.storedBytes('labeller'));
    expect(counts.reduce((sum, count) => sum + Number(count), 0)).toBeGreaterThan(32_000);
    const user = 'u'.repeat(1_000_000);
    const named = await api.send('/v1/responses', {
      method: 'POST',
      body: JSON.stringify({ model: 'simulated/sim-large', input: 'Hi.', user }),
    });
    expect(named.status).toBe(400);
  });

  test('cannot have a conversation stored that is longer than a request may be', async () => {
    const api = await newApi();
    const send = async (body: object) => {
      const response = await api.send('/v1/responses', { method: 'POST', body: JSON.stringify(body) });
      return {
        status: response.status,
        body: (await response.json()) as { id: string; error: { code: string } },
      };
    };
    const { client, heard, codes } = await openSocket('/v1/responses', withKey(api.key));
    const create = (more: object) =>
      client.send(JSON.stringify({ type: 'response.create', input: 'word '.repeat(1_000_000), ...more }));
    create({ generate: false });
    await waitFor('it to be prepared', () => heard.some(({ type }) => type === 'response.completed'));
    const id = (heard.at(-1) as unknown as { response: { id: string } }).response.id;
    create({ previous_response_id: id });
    await waitFor('the refusal', () => codes().length === 1);
    expect(codes()).toEqual(['body_too_large']);
    client.terminate();
    expect((await send({ input: 'Hi. [[sim tokens=3 delay_ms=0]]' })).status).toBe(200);
  });
});
