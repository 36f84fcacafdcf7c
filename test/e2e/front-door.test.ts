import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DEFAULTS, LIMITS } from '../../contracts/limits.ts';
import { promptOf } from '../harness/prompt.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { openStreamSocket, type StreamSocket } from '../harness/stream-socket.ts';
import { connectApi, type UnbrokenApi } from '../harness/unbroken-api.ts';
import { waitFor } from '../harness/wait-for.ts';

const PAGE = 'https://app.example.com';
const UI = 'http://127.0.0.1:8233';
const REQUESTS = 60;
const CONNECTIONS = 4;
let stack: Stack;
let api: UnbrokenApi;
beforeAll(async () => {
  stack = await startStack({
    apis: 2,
    config: {
      cors: { origins: [PAGE] },
      encryption: { uiOrigins: [UI] },
      rateLimits: { requestsPerMinute: REQUESTS, connectionsPerKey: CONNECTIONS },
    },
  });
});
afterAll(() => stack?.stop());
/** Each with its own key, so that one does not use up the rate of another. */
const newApi = async () => connectApi(stack.api.url, await stack.addKey({ user: 'dev' }));

describe('a browser', () => {
  test('of a named origin may call and read all headers; of another it may not', async () => {
    const preflight = (origin: string) =>
      fetch(`${stack.api.url}/v1/generations`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,idempotency-key,content-type',
        },
      });
    const allowed = await preflight(PAGE);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(allowed.headers.get('access-control-allow-headers')).toContain('idempotency-key');
    expect(allowed.headers.get('vary')).toContain('Origin');
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    const refused = await fetch(`${stack.api.url}/v1/generations`, { headers: { origin: PAGE } });
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, PAGE]);
  });

  test('sends cookies from the Temporal UI to the codec, and from nowhere to anything else', async () => {
    const allowedOrigin = async (path: string, origin: string) => {
      const headers = { origin, 'access-control-request-method': 'POST' };
      const response = await fetch(`${stack.api.url}${path}`, { method: 'OPTIONS', headers });
      return response.headers.get('access-control-allow-credentials') === 'true'
        ? response.headers.get('access-control-allow-origin')
        : null;
    };
    expect(await allowedOrigin('/v1/codec/decode', UI)).toBe(UI);
    expect(await allowedOrigin('/v1/codec/decode', PAGE)).toBeNull();
    expect(await allowedOrigin('/v1/generations', PAGE)).toBeNull();
  });

  test('forbids scripts, frames, sniffing and caching', async () => {
    for (const path of ['/healthz', '/v1/generations', '/nothing']) {
      const { headers } = await fetch(`${stack.api.url}${path}`);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-powered-by')).toBeNull();
    }
  });
});

describe('a request', () => {
  test('with a method that its path does not take is 405, and Allow says which it takes', async () => {
    api = await newApi();
    const response = await api.send('/v1/generations/gen_1/events', { method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await response.json()).toMatchObject({ error: { code: 'method_not_allowed' } });
  });

  test('nested deeper than the limit is refused, also where it is eight megabytes of brackets', async () => {
    const send = async (body: string) => {
      const response = await api.send('/v1/generations', { method: 'POST', body });
      return [response.status, ((await response.json()) as { error: { code: string } }).error.code];
    };
    const depth = LIMITS.jsonDepth + 1;
    expect(await send('['.repeat(depth) + ']'.repeat(depth))).toEqual([400, 'invalid_request']);
    expect(await send('['.repeat(8 * 1024 * 1024))).toEqual([400, 'invalid_request']);
    expect(await send(JSON.stringify({ input: 'x'.repeat(DEFAULTS.bodyBytes) }))).toEqual([
      413,
      'body_too_large',
    ]);
  });

  test('of a few bytes that unpack to more than the limit is refused', async () => {
    const bomb = gzipSync(JSON.stringify({ input: 'x'.repeat(2 * DEFAULTS.bodyBytes) }));
    expect(bomb.length).toBeLessThan(LIMITS.requestBodyBytes / 100);
    const response = await api.send('/v1/generations', {
      method: 'POST',
      body: Buffer.from(bomb),
      headers: { 'content-encoding': 'gzip' },
    });
    expect([response.status, await response.json()]).toMatchObject([
      413,
      { error: { code: 'body_too_large' } },
    ]);
  });

  test('with a key that is no key is 401', async () => {
    for (const headers of [
      { authorization: 'Bearer ' },
      { authorization: `Bearer ${'x'.repeat(5_000)}` },
      { authorization: 'Basic ZGV2OmRldg==' },
      { 'x-api-key': 'short' },
    ] as Record<string, string>[]) {
      expect((await fetch(`${stack.api.url}/v1/generations`, { headers })).status).toBe(401);
    }
  });
});

test('a key that is over its rate is refused at both processes, and another key is not', async () => {
  const busy = await newApi();
  const elsewhere = connectApi(stack.otherApis[0] ?? '', busy.key);
  const calls = [];
  for (let count = 0; count < 2 * REQUESTS; count += 1) calls.push(await busy.view('gen_1'));
  expect(calls.filter((call) => call.status === 404)).toHaveLength(REQUESTS);
  const refused = calls.find((call) => call.status === 429);
  expect(refused?.body.error.code).toBe('rate_limited');
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
  await waitFor('the refusal elsewhere', async () => (await elsewhere.view('gen_1')).status === 429);
  expect((await (await newApi()).view('gen_1')).status).toBe(404);
});

test('a key has only so many connections open at once, and gets one back when one is closed', async () => {
  const open = await newApi();
  const { body } = await open.create({ input: promptOf({ tokens: 2_000, delayMs: 20 }), cache: 'off' });
  const stop = new AbortController();
  for (let count = 1; count < CONNECTIONS; count += 1) {
    const response = await open.send(`/v1/generations/${body.id}/events`, { signal: stop.signal });
    expect(response.status).toBe(200);
  }
  const socket: StreamSocket = await openStreamSocket(open);
  const refused = await open.view(body.id);
  expect([refused.status, refused.body.error.code]).toEqual([429, 'too_many_connections']);
  await expect(openStreamSocket(open)).rejects.toThrow('429');
  await socket.close();
  await waitFor('room for one', async () => (await open.view(body.id)).status === 200);
  stop.abort();
  await waitFor('room again', async () => (await open.cancel(body.id)).status === 202);
});
