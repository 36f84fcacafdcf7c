import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { createSignedWebhook } from '../../platform/signed-webhook.ts';

const SECRET = `whsec_${Buffer.from('a secret of enough characters').toString('base64')}`;
const MESSAGE = { type: 'budget.warning', data: { spent: 81 } };

let server: Server;
let port = 0;
let answer = 200;
let retryAfter: string | null = null;
let calls: { request: IncomingMessage; body: string }[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    calls.push({ request, body });
    if (retryAfter !== null) response.setHeader('retry-after', retryAfter);
    response.writeHead(answer, answer === 302 ? { location: `http://127.0.0.1:${port}/inside` } : {});
    response.end('the secret page of an inner service');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterAll(() => {
  server.close();
});
beforeEach(() => {
  calls = [];
  answer = 200;
  retryAfter = null;
});

const webhookOf = (host: string, allowPrivateNetwork = true, more = {}) =>
  createSignedWebhook({
    url: `http://${host}:${port}/hook?a=b`,
    secret: SECRET,
    name: 'budget webhook',
    privateSetting: 'budgets.webhook.allowPrivateNetwork',
    allowPrivateNetwork,
    ...more,
  });

test('a message arrives once, signed so that any Standard Webhooks library accepts it', async () => {
  await webhookOf('127.0.0.1')('warn_1', MESSAGE);
  expect(calls).toHaveLength(1);
  const { request, body } = calls[0] ?? { request: null, body: '' };
  const payload = new Webhook(SECRET).verify(body, request?.headers as Record<string, string>);
  expect(payload).toEqual(MESSAGE);
  expect(request).toMatchObject({ method: 'POST', url: '/hook?a=b', headers: { 'webhook-id': 'warn_1' } });
  expect(() => new Webhook(SECRET).verify(`${body} `, request?.headers as Record<string, string>)).toThrow();
});

test('while a rotated secret overlaps, a receiver accepts the message with either', async () => {
  const previousSecret = `whsec_${Buffer.from('the secret before that one').toString('base64')}`;
  expect(await webhookOf('127.0.0.1', true, { previousSecret })('warn_1', MESSAGE)).toBe(200);
  const { request, body } = calls[0] ?? { request: null, body: '' };
  for (const secret of [SECRET, previousSecret]) {
    expect(new Webhook(secret).verify(body, request?.headers as Record<string, string>)).toEqual(MESSAGE);
  }
});

test.each([500, 404, 302])(
  'an answer of %d is a failure, and says nothing of what was answered',
  async (status) => {
    answer = status;
    await expect(webhookOf('127.0.0.1')('warn_1', MESSAGE)).rejects.toThrow(
      `The budget webhook answered ${status}.`,
    );
    expect(calls).toHaveLength(1);
  },
);

// https://github.com/cloudevents/spec/pull/155, https://github.com/eventrelay/eventrelay/issues/91
test.each([
  ['seconds', '120', 120_000],
  ['a date', new Date(Date.now() + 3_600_000).toUTCString(), expect.any(Number)],
  ['a date that is past', new Date(0).toUTCString(), null],
  ['nonsense', 'soon', null],
  ['a number that is none', '-5', null],
  ['nothing', null, null],
])('a receiver that is busy says for how long: %s', async (_, header, retryAfterMs) => {
  answer = 429;
  retryAfter = header;
  await expect(webhookOf('127.0.0.1')('warn_1', MESSAGE)).rejects.toMatchObject({
    statusCode: 429,
    retryAfterMs,
  });
});

test('a receiver that does not answer in time is a failure', async () => {
  const silent = createServer(() => undefined).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`;
  const webhook = webhookOf('127.0.0.1', true, { url, timeoutMs: 100 });
  await expect(webhook('warn_1', MESSAGE)).rejects.toThrow('The budget webhook: ');
  silent.closeAllConnections();
  silent.close();
});

describe('an address inside the network is not called', () => {
  test.each([
    '127.0.0.1',
    'localhost',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0.0.0.0',
    '10.1.2.3',
    '169.254.169.254',
    '192.168.0.1',
    '[fe80::1]',
    '[fd00::1]',
    // IPv4 inside IPv6: https://github.com/JSONbored/metagraphed/pull/1533,
    // https://github.com/documenso/documenso/issues/2901, https://github.com/ancsemi/Haven/pull/5520
    '[::127.0.0.1]',
    '[::a9fe:a9fe]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:7f00:1::]',
    // Assigned to nobody.
    '[4000::1]',
    // The host of a virtual machine in Azure.
    '168.63.129.16',
    '100.64.0.1',
    // The same address as a number; URL makes it 127.0.0.1.
    '2130706433',
  ])('%s', async (host) => {
    await expect(webhookOf(host, false)('warn_1', MESSAGE)).rejects.toThrow(
      'is not a public address; set budgets.webhook.allowPrivateNetwork if it is yours.',
    );
    expect(calls).toHaveLength(0);
  });
});
