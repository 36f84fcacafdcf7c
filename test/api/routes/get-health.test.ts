import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import express from 'express';
import type { ApiDependencies } from '../../../api/dependencies.ts';
import { getReadiness } from '../../../api/routes/get-health.ts';
import { waitFor } from '../../harness/wait-for.ts';

test('callers without a key who ask whether the API is ready share one question to its services', async () => {
  let asked = 0;
  let isThere = true;
  const ask = async () => {
    asked += 1;
    if (!isThere) throw new Error('away');
  };
  // Only how often the services are asked is of interest here.
  const temporal = { connection: { workflowService: { getSystemInfo: ask } } };
  const dependencies = { temporal, pingRedis: ask, leaving: new AbortController().signal };
  const app = express();
  app.get('/readyz', getReadiness(dependencies as unknown as ApiDependencies));
  const server = app.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`;
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await fetch(url)).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(asked).toBe(2);
    isThere = false;
    await waitFor('the news', async () => (await fetch(url)).status === 503);
    isThere = true;
    await waitFor('the good news', async () => (await fetch(url)).status === 200);
  } finally {
    server.close();
  }
});
