import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import type { BudgetWarning } from '../../../contracts/budgets.ts';
import { createWarningWebhook } from '../../../engine/budget/warning-webhook.ts';

const WARNING: BudgetWarning = {
  warningId: 'warn_1',
  tenant: 'acme',
  per: 'team',
  id: 'red',
  window: 'month',
  unit: 'micro-usd',
  limit: 100,
  spent: 81,
  resetsAtMs: 5,
  level: 'near',
  mode: 'hard',
  generationId: 'gen_1',
  atMs: 1_000,
};

test('a receiver gets the warning with its time, under the id that every repetition has', async () => {
  const received: { id: unknown; body: unknown }[] = [];
  const server = createServer(async (request, response) => {
    received.push({ id: request.headers['webhook-id'], body: await json(request) });
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const notify = createWarningWebhook({ url, secret: 'any text', allowPrivateNetwork: true });
  await notify(WARNING);
  const { atMs: _, ...data } = WARNING;
  expect(received).toEqual([
    { id: 'warn_1', body: { type: 'budget.warning', timestamp: '1970-01-01T00:00:01.000Z', data } },
  ]);
  server.close();
});
