import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fuzzRoutes, WATCH_PROTOTYPES } from '../fuzz/fuzz-routes.ts';
import { fuzzSockets, SOCKET_LIMITS } from '../fuzz/fuzz-sockets.ts';
import { fuzzWebSockets } from '../fuzz/fuzz-websocket.ts';
import { chooseSeed } from '../harness/random.ts';
import { type Stack, startStack } from '../harness/stack.ts';

/** UNBROKEN_SEED repeats a failure; `npm run prove -- fuzz` tries many more. */
const seed = chooseSeed();
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ config: { http: SOCKET_LIMITS }, env: WATCH_PROTOTYPES });
});
afterAll(() => stack?.stop());

test('every route answers whatever comes: no fault of ours, no hang, no words of another tenant', async () => {
  const report = await fuzzRoutes(stack, { seed, inputs: 1_500 });
  expect(report.failures).toEqual([]);
  expect(report.inputs).toBeGreaterThanOrEqual(1_500);
});

test('both WebSockets answer after whatever came, or close with a code that says why', async () => {
  const report = await fuzzWebSockets(stack, { seed, inputs: 160 });
  expect(report.failures).toEqual([]);
  expect(report.inputs).toBeGreaterThanOrEqual(160);
});

test('whatever comes over TCP, and however slowly, is answered or closed in time, and no connection stays', async () => {
  const report = await fuzzSockets(stack, { seed, inputs: 120 });
  expect(report.failures).toEqual([]);
  expect(report.inputs).toBeGreaterThanOrEqual(120);
});
