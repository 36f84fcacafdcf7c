/** A step that no retry can finish: its run fails and says so, instead of being retried for ever. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { workflowId } from '../../contracts/names.ts';
import { subjectKey } from '../../engine/budget/subject-key.ts';
import { connectRedis, type RedisConnection } from '../../platform/redis/redis-connection.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

let stack: Stack;
let redis: RedisConnection;
beforeAll(async () => {
  stack = await startStack();
  redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
});
afterAll(async () => {
  redis?.destroy();
  await closeTemporalClients();
  await stack?.stop();
});

test('a settlement that Redis refuses fails its run, is reported, and is repaired by the reconciliation', async () => {
  const input = promptOf({ tokens: 200, delayMs: 10 });
  const body = await stack.api.submit({ input, cache: 'off', user: 'ann' });
  const reading = startReading(stack.api, body.id);
  await reading.deltas(3);
  const subject = subjectKey('dev', 'user', 'ann');
  await redis.rename(subject, `${subject}:kept`);
  await redis.set(subject, 'no hash');
  expect((await reading.whole).at(-1)).toMatchObject({ type: 'generation-end' });
  const { workflow } = await temporalClient(stack.env);
  const run = workflow.getHandle(workflowId('dev', body.id));
  await waitFor('the run has failed', async () => (await run.describe()).status.name === 'FAILED');
  expect(stack.workers[0]?.log()).toContain('a step of a generation was given up');
  await redis.rename(`${subject}:kept`, subject);
  const request = JSON.stringify({ repair: true });
  const repair = await stack.api.send('/v1/budgets/reconcile', { method: 'POST', body: request });
  expect(await repair.json()).toMatchObject({ orphans: [body.id] });
});
