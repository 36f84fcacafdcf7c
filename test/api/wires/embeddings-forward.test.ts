import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { forwardEmbeddings } from '../../../api/wires/openai-embeddings/forward.ts';

const ANSWER = { object: 'list', data: [], usage: { prompt_tokens: 3 } };
let server: Server;
let refusals: { status: number; retryAfter?: string }[] = [];
let used: (string | undefined)[] = [];
let body = '';
beforeAll(async () => {
  server = createServer((request, response) => {
    used.push(request.headers.authorization?.slice('Bearer '.length));
    body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    const refusal = refusals.shift();
    if (refusal?.retryAfter !== undefined) response.setHeader('retry-after', refusal.retryAfter);
    if (refusal?.status === 0) {
      response.socket?.destroy();
      return;
    }
    response.writeHead(refusal?.status ?? 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(refusal === undefined ? ANSWER : { error: { message: 'No.' } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  [refusals, used] = [[], []];
});

const forward = (...keys: string[]) => forwardWith({}, ...keys);
const forwardWith = (fields: object, ...keys: string[]) =>
  forwardEmbeddings(
    {
      provider: 'p',
      model: 'm',
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      keys,
      secrets: [],
    },
    { model: 'p/m', input: 'x', ...fields },
  );

test('fields that only some servers have reach them, and the name of the user none', async () => {
  await forwardWith({ input_type: 'query', encoding_format: 'base64', dimensions: null, user: 'ann' }, 'a');
  expect(JSON.parse(body)).toEqual({
    model: 'm',
    input: 'x',
    input_type: 'query',
    encoding_format: 'base64',
  });
});

test.each([401, 429, 500])('a key that gets %d is followed by the next one', async (status) => {
  refusals = [{ status }];
  expect(await forward('a', 'b')).toEqual({ answer: ANSWER });
  expect(used).toEqual(['a', 'b']);
});

test('a refused call is repeated after a pause, and no more often than any other call', async () => {
  refusals = [{ status: 503 }, { status: 429, retryAfter: '0' }];
  expect(await forward('a')).toEqual({ answer: ANSWER });
  expect(used).toHaveLength(3);
  refusals = Array.from({ length: 9 }, () => ({ status: 503 }));
  expect(await forward('a')).toMatchObject({ answer: null, error: { code: 'provider_unavailable' } });
  expect(used).toHaveLength(6);
});

test.each([
  ['a bad request', { status: 400 }, 'provider_bad_request'],
  ['a refused key without another', { status: 401 }, 'provider_auth'],
  ['a long wait', { status: 429, retryAfter: '60' }, 'provider_rate_limited'],
])('%s is not repeated', async (_what, refusal, code) => {
  refusals = [refusal];
  expect(await forward('a')).toMatchObject({ error: { code } });
  expect(used).toHaveLength(1);
});

test('a call that was sent and not answered may be billed, so it is not repeated', async () => {
  refusals = [{ status: 0 }];
  expect(await forward('a', 'b')).toMatchObject({ answer: null, mayBeBilled: true });
  expect(used).toHaveLength(1);
});
