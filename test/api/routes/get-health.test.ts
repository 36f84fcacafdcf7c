import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import express from 'express';
import type { ApiDependencies } from '../../../api/dependencies.ts';
import { getReadiness } from '../../../api/routes/get-health.ts';
import { waitFor } from '../../harness/wait-for.ts';

const SERVICES = 2;
/** As in get-health.ts. */
const REMEMBER_MS = 500;

test('readiness checks of many callers share one check of the services', async () => {
  let calls = 0;
  let isUp = true;
  const call = async () => {
    calls += 1;
    if (!isUp) throw new Error('unreachable');
  };
  // The test needs only the two calls that a check makes.
  const temporal = { connection: { workflowService: { getSystemInfo: call } } };
  const dependencies = { temporal, pingRedis: call, leaving: new AbortController().signal };
  const app = express();
  app.get('/readyz', getReadiness(dependencies as unknown as ApiDependencies));
  const server = app.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/readyz`;
    const startedAtMs = performance.now();
    const statuses = await Promise.all(Array.from({ length: 50 }, async () => (await fetch(url)).status));
    expect(new Set(statuses)).toEqual(new Set([200]));
    // On a busy machine the requests may take longer than a result is reused.
    const checks = 1 + Math.ceil((performance.now() - startedAtMs) / REMEMBER_MS);
    expect(calls).toBeLessThanOrEqual(SERVICES * checks);
    isUp = false;
    await waitFor('the outage to show', async () => (await fetch(url)).status === 503);
    isUp = true;
    await waitFor('the recovery to show', async () => (await fetch(url)).status === 200);
  } finally {
    server.close();
  }
});
