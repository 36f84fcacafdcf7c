/** A log whose end is gone, as Redis loses it with a power cut, or because its run was ended by hand. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { workflowId } from '../../contracts/names.ts';
import { connectRedis, type RedisConnection } from '../../platform/redis/redis-connection.ts';
import { faultsOf } from '../harness/check-events.ts';
import { loseTail } from '../harness/lose-tail.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';

let stack: Stack;
let redis: RedisConnection;
beforeAll(async () => {
  stack = await startStack({ config: { limits: { heartbeatMs: 500 } } });
  redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
});
afterAll(async () => {
  redis?.destroy();
  await closeTemporalClients();
  await stack?.stop();
});

const runOf = async (id: string) =>
  (await temporalClient(stack.env)).workflow.getHandle(workflowId('dev', id));

test('a reader of a log that lost its end learns it, and does not wait forever', async () => {
  const body = await stack.api.submit({ input: promptOf({ tokens: 60, delayMs: 10 }), cache: 'off' });
  await startReading(stack.api, body.id).whole;
  await (await runOf(body.id)).result();
  await loseTail(redis, body.id, 8);
  const events = await startReading(stack.api, body.id).whole;
  expect(faultsOf(events)).toEqual([]);
  expect(events.at(-1)).toMatchObject({ type: 'generation-error', error: { code: 'log_tail_lost' } });
  expect((await stack.api.view(body.id)).body.status).toBe('failed');
});

test('a reader of a generation whose run was terminated learns it', async () => {
  const input = promptOf({ tokens: 20, firstMs: 60_000 });
  const body = await stack.api.submit({ input, cache: 'off' });
  const reading = startReading(stack.api, body.id);
  await (await runOf(body.id)).terminate('by hand');
  const events = await reading.whole;
  expect(faultsOf(events)).toEqual([]);
  expect(events.at(-1)).toMatchObject({ type: 'generation-error', error: { code: 'internal' } });
});

test('one that is only slow is left alone', async () => {
  const input = promptOf({ tokens: 20, firstMs: 3_000 });
  const body = await stack.api.submit({ input, cache: 'off' });
  const events = await startReading(stack.api, body.id).whole;
  expect(events.at(-1)).toMatchObject({ type: 'generation-end' });
});
