/** An Idempotency-Key that comes again when the log of its generation is gone, and Temporal still knows the run. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { workflowId } from '../../contracts/names.ts';
import { connectRedis, type RedisConnection } from '../../platform/redis/redis-connection.ts';
import { faultsOf } from '../harness/check-events.ts';
import { promptOf } from '../harness/prompt.ts';
import { startReading } from '../harness/reader.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../harness/streaming-worker.ts';
import { waitFor } from '../harness/wait-for.ts';

const LIMIT = 100_000;
let stack: Stack;
let redis: RedisConnection;
beforeAll(async () => {
  stack = await startStack({
    config: {
      retention: { logMs: 1_000 },
      budgets: {
        limits: [{ per: 'user', id: '*', window: 'day', unit: 'tokens', amount: LIMIT, mode: 'hard' }],
      },
    },
  });
  redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
});
afterAll(async () => {
  redis?.destroy();
  await closeTemporalClients();
  await stack?.stop();
});

const logKeys = (id: string) => redis.keys(`ub:log:{${id}}:*`);
const runOf = async (id: string) =>
  (await temporalClient(stack.env)).workflow.getHandle(workflowId('dev', id));

async function generate(request: { input: string; model?: string }, key: string, user: string) {
  const { status, body } = await stack.api.create({ ...request, cache: 'off', user }, key);
  expect(status).toBe(201);
  const events = await startReading(stack.api, body.id).whole;
  expect(faultsOf(events)).toEqual([]);
  expect(events.at(-1)).toMatchObject({ type: 'generation-end', finishReason: 'stop' });
  await (await runOf(body.id)).result();
  return body.id;
}

async function spentBy(user: string): Promise<{ spentTokens: number; reservedTokens: number }> {
  const response = await stack.api.send(`/v1/budgets/balances?per=user&id=${user}`);
  return JSON.parse(await response.text()).data[0];
}

test.each([
  ['whose worker calls ahead', 'simulated/sim-large'],
  ['whose worker waits for Temporal', 'simulated-messages/sim-large'],
])('after its retention it generates again, is billed again, and can be sent again: %s', async (_, model) => {
  const key = `again-${model}`;
  const user = model.replace('/', '-');
  const request = { input: promptOf({ tokens: 20, delayMs: 1 }), model };
  const id = await generate(request, key, user);
  await waitFor('the log is past its retention', async () => (await logKeys(id)).length === 0);
  await stack.sim.forget();
  expect(await generate(request, key, user)).toBe(id);
  expect(await stack.sim.calls()).toHaveLength(1);
  const { body } = await stack.api.create({ ...request, cache: 'off', user }, key);
  expect(body.id).toBe(id);
  expect(await stack.sim.calls()).toHaveLength(1);
  await waitFor('nothing is reserved any more', async () => (await spentBy(user)).reservedTokens === 0);
});
