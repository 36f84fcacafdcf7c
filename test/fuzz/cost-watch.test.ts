/**
 * The measure itself: it sees an event loop that is held, and neither one that gives way nor a machine that is busy.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type ChildHandle, startChild } from '../harness/child-process.ts';
import { CAN_MEASURE } from './busy-time.ts';
import { CostWatch } from './cost-watch.ts';

const SERVER = `
import { createServer } from 'node:http';
const hold = (ms) => { const from = process.cpuUsage(); while ((process.cpuUsage(from).user) < ms * 1000); };
const server = createServer(async (request, response) => {
  if (request.url === '/hold') hold(200);
  if (request.url === '/slices') for (let i = 0; i < 20; i += 1) { hold(10); await new Promise(setImmediate); }
  response.end('{}');
}).listen(0, '127.0.0.1', () => console.log(JSON.stringify({ ready: true, url: 'http://127.0.0.1:' + server.address().port })));
`;
/** The request that holds the event loop holds it for longer, whatever the machine does. */
const HELD_MS = 170;
const SLICED_MS = 120;
const STOPPED_MS = 100;
let folder: string;
let server: ChildHandle;
let watch: CostWatch;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unbroken-cost-'));
  writeFileSync(join(folder, 'server.mjs'), SERVER);
  server = await startChild('server', join(folder, 'server.mjs'), {});
  watch = new CostWatch({ api: { url: server.url, pid: server.pid } });
});
afterAll(async () => {
  await watch?.stop();
  await server?.end();
  rmSync(folder, { recursive: true, force: true });
});

/**
 * The least of several: where the probe itself is kept waiting by others, what it saw is too much.
 * @param enoughMs a wait below it needs no second look.
 */
const waitDuring = async (act: () => Promise<unknown>, enoughMs: number, mostTurns = 12): Promise<number> => {
  let leastMs = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < mostTurns && leastMs >= enoughMs; turn += 1) {
    await watch.take();
    await act();
    leastMs = Math.min(leastMs, (await watch.take()).api);
  }
  return leastMs;
};

/** Elsewhere than on Linux nothing can be measured, and the search says so. */
const measured = (promise: string, run: () => Promise<void>) =>
  test(promise, CAN_MEASURE ? run : () => undefined);

measured('a request that holds the event loop is found, with how long it held it', async () => {
  expect(await waitDuring(() => fetch(`${server.url}/hold`), HELD_MS, 2)).toBeGreaterThan(HELD_MS);
});

measured('as much work in slices keeps nobody waiting for long', async () => {
  expect(await waitDuring(() => fetch(`${server.url}/slices`), SLICED_MS)).toBeLessThan(SLICED_MS);
});

measured('a process that is stopped from outside has not worked', async () => {
  const wait = await waitDuring(async () => {
    await server.signal('SIGSTOP');
    await sleep(500);
    await server.signal('SIGCONT');
  }, STOPPED_MS);
  expect(wait).toBeLessThan(STOPPED_MS);
});
