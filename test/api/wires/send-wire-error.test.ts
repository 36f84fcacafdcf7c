/** How the official clients retry what this API refuses. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import express from 'express';
import OpenAI from 'openai';
import { pino } from 'pino';
import { handleError } from '../../../api/http/handle-error.ts';
import { sendWireError } from '../../../api/wires/send-wire-error.ts';
import { type ErrorCode, UnbrokenError } from '../../../contracts/errors.ts';

test.each<[ErrorCode, number]>([
  ['rate_limited', 2],
  ['too_many_bytes', 2],
  ['service_unavailable', 2],
  ['provider_rate_limited', 1],
  ['budget_exceeded', 1],
  ['conversation_locked', 1],
])('a request that ends with %s is sent %d times by a client that may retry once', async (code, sends) => {
  let received = 0;
  const app = express();
  app.post('/v1/responses', () => {
    received += 1;
    throw new UnbrokenError(code, 'No.', { retryAfterMs: 1 });
  });
  app.use(handleError(pino({ level: 'silent' }), sendWireError));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const client = new OpenAI({ apiKey: 'k', baseURL, maxRetries: 1, logLevel: 'off' });
  await expect(client.responses.create({ model: 'm', input: 'Hi' })).rejects.toMatchObject({ code });
  server.closeAllConnections();
  server.close();
  expect(received).toBe(sends);
});
