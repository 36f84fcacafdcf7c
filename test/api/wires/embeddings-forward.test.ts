import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { forwardEmbeddings } from '../../../api/wires/openai-embeddings/forward.ts';
import { resolveEmbeddingsTarget } from '../../../api/wires/openai-embeddings/request.ts';
import { providerKeysOf } from '../../../platform/config/gate-schema.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';

const ANSWER = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
  usage: { prompt_tokens: 3, total_tokens: 3 },
};
/** What the server makes of a request; null: `ANSWER`. */
let answerTo: ((sent: Record<string, unknown>) => { status?: number; body: object }) | null = null;
let server: Server;
let refusals: { status: number; retryAfter?: string }[] = [];
let used: (string | undefined)[] = [];
let body = '';
beforeAll(async () => {
  server = createServer(async (request, response) => {
    used.push(request.headers.authorization?.slice('Bearer '.length));
    body = '';
    for await (const chunk of request) body += String(chunk);
    if (answerTo !== null) {
      const { status = 200, body: own } = answerTo(JSON.parse(body));
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(own));
      return;
    }
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
  [refusals, used, answerTo] = [[], [], null];
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

test('the keys of a provider share the calls by their weights', () => {
  const keys = [
    { env: 'A', weight: 3 },
    { env: 'B', weight: 1 },
  ];
  const config = loadConfig({});
  const providerKeys = { openai: providerKeysOf({ keys }, { A: 'a', B: 'b' }) };
  const request = { model: 'text-embedding-3-small', input: 'x' };
  const first = Array.from(
    { length: 400 },
    () => resolveEmbeddingsTarget({ ...config, providerKeys }, request).keys[0],
  );
  const ofB = first.filter((key) => key === 'b').length;
  expect(ofB).toBeGreaterThan(50);
  expect(ofB).toBeLessThan(200);
});

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

const VECTOR = [0.5, -2, 1];
const IN_BASE64 = Buffer.from(new Float32Array(VECTOR).buffer).toString('base64');
const listOf = (embedding: unknown, more: object = {}, count = 1) => ({
  object: 'list',
  data: Array.from({ length: count }, (_, index) => ({ object: 'embedding', index, embedding })),
  ...more,
});

test.each([
  ['numbers where base64 was asked for', VECTOR, 'base64', IN_BASE64],
  ['base64 where it was asked for', IN_BASE64, 'base64', IN_BASE64],
  ['base64 where numbers were asked for', IN_BASE64, 'float', VECTOR],
  ['base64 where nothing was asked for', IN_BASE64, undefined, VECTOR],
])('%s reach the client as it asked', async (_what, sent, format, got) => {
  answerTo = () => ({ body: listOf(sent) });
  const { answer } = await forwardWith({ encoding_format: format }, 'a');
  expect(answer?.data).toEqual([{ object: 'embedding', index: 0, embedding: got }]);
});

test('bytes of another type of numbers stay as they are', async () => {
  answerTo = () => ({ body: listOf('AQIDBA==') });
  const { answer } = await forwardWith({ output_dtype: 'int8' }, 'a');
  expect(answer?.data).toEqual([{ object: 'embedding', index: 0, embedding: 'AQIDBA==' }]);
});

test.each<[string, unknown, object | undefined]>([
  ['under another name', { total_tokens: 355 }, { prompt_tokens: 355, total_tokens: 355 }],
  ['as none', { prompt_tokens: 0, total_tokens: 0 }, undefined],
  ['as null', null, undefined],
  ['with more of it', { prompt_tokens: 2, cost: 1 }, { prompt_tokens: 2, total_tokens: 2, cost: 1 }],
])('usage %s', async (_what, usage, got) => {
  answerTo = () => ({ body: listOf(VECTOR, { object: undefined, usage }) });
  const { answer } = await forward('a');
  expect([answer?.object, answer?.usage]).toEqual(['list', got]);
});

test('vectors are in the order of their texts', async () => {
  const data = [1, 0].map((index) => ({ index, embedding: [index] }));
  answerTo = () => ({ body: { data } });
  expect((await forwardWith({ input: ['x', 'y'] }, 'a')).answer?.data).toEqual(data.toReversed());
});

test.each<[string, object, number]>([
  ['none', {}, 0],
  ['fewer than texts', { input: ['x', 'y'] }, 1],
  ['more than texts', { input: ['x', 'y'] }, 3],
  ['more than lists of tokens', { input: [[1, 2], [3]] }, 3],
  ['one for each token of a text', { input: [1, 2] }, 2],
])('vectors of which there are %s are no answer', async (_what, fields, count) => {
  answerTo = () => ({ body: listOf(VECTOR, {}, count) });
  const malformed = { answer: null, error: { code: 'provider_malformed' }, mayBeBilled: true };
  expect(await forwardWith(fields, 'a')).toMatchObject(malformed);
  expect(used).toHaveLength(1);
});

test.each([
  ['a limit', { error: { code: 429, message: 'Slow down' } }, 'provider_rate_limited', 3],
  ['a refusal', { error: { code: 400, message: 'Too long' } }, 'provider_bad_request', 1],
  ['words alone', { error: 'no such thing' }, 'provider_bad_request', 1],
])('%s with status 200 is an error that costs nothing', async (_what, own, code, calls) => {
  answerTo = () => ({ body: own });
  expect(await forward('a')).toMatchObject({ answer: null, error: { code }, mayBeBilled: false });
  expect(used).toHaveLength(calls);
});

test.each<[string, readonly [status: number, body: object], string, number]>([
  [
    'an empty account',
    [429, { error: { message: 'You exceeded your current quota.', type: 'insufficient_quota' } }],
    'provider_quota_exhausted',
    2,
  ],
  [
    'a model that does not exist',
    [404, { error: { message: 'The model `m` does not exist or you do not have access to it.' } }],
    'provider_model_not_found',
    1,
  ],
  ['a wrong base URL', [404, { detail: 'Not Found' }], 'provider_bad_request', 1],
  [
    'an input that is too long',
    [400, { error: { message: "This model's maximum context length is 8192 tokens." } }],
    'context_length_exceeded',
    1,
  ],
  ['a key that is not accepted', [403, { error: { message: 'Invalid API key.' } }], 'provider_auth', 2],
  [
    'a content filter',
    [400, { error: { code: 'content_filter', message: 'Filtered.' } }],
    'content_filtered',
    1,
  ],
])('%s is the error that it is in a generation', async (_what, [status, own], code, calls) => {
  answerTo = () => ({ status, body: own });
  expect(await forward('a', 'b')).toMatchObject({ answer: null, error: { code }, mayBeBilled: false });
  expect(used).toHaveLength(calls);
});

test.each<[string, object, (sent: Record<string, unknown>) => boolean, object]>([
  [
    'base64, which the SDKs ask for',
    { encoding_format: 'base64' },
    ({ encoding_format: format }) => format === 'base64',
    { input: 'x' },
  ],
  [
    'tokens, which LangChain sends',
    { input: [[15339, 1917], [15339]] },
    ({ input }) => typeof (input as unknown[])[0] !== 'string',
    { input: ['hello world', 'hello'] },
  ],
  [
    'the tokens of one text',
    { input: [15339, 1917] },
    ({ input }) => typeof input !== 'string',
    { input: 'hello world' },
  ],
])('%s: a server that lacks it gets the same without', async (_what, fields, isRefused, plain) => {
  answerTo = (sent) =>
    isRefused(sent)
      ? { status: 400, body: { error: { message: 'encoding_format or input is not supported' } } }
      : { body: listOf(VECTOR, {}, [sent['input']].flat().length) };
  const { answer } = await forwardWith(fields, 'a');
  expect(JSON.parse(body)).toEqual({ model: 'm', ...plain });
  const got = 'encoding_format' in fields ? IN_BASE64 : VECTOR;
  expect(answer?.data[0]).toEqual({ object: 'embedding', index: 0, embedding: got });
});

test('a request that was refused for something else is sent once', async () => {
  answerTo = () => ({ status: 400, body: { error: { message: 'The input is too long.' } } });
  expect(await forwardWith({ encoding_format: 'base64' }, 'a')).toMatchObject({ answer: null });
  expect(used).toHaveLength(1);
});

// https://github.com/sigoden/aichat/issues/767
test('a base URL may end with a slash', () => {
  const provider = { wire: 'openai-chat' as const, baseUrl: 'http://127.0.0.1:8080/v1/', apiKeyEnv: 'KEY' };
  const config = {
    ...loadConfig({}),
    providers: { p: provider },
    providerKeys: { p: providerKeysOf(provider, { KEY: 'a' }) },
  };
  const target = resolveEmbeddingsTarget(config, { model: 'p/m', input: 'x' });
  expect(target.baseUrl).toBe('http://127.0.0.1:8080/v1');
});
