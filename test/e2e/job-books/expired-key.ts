/** The key of a job that is past its retention, while Temporal knows its run. */
import { expect } from '@jest/globals';
import type { NewPipeline, UnbrokenClient } from '../../../clients/typescript/index.ts';
import { REDIS_KEYS, workflowId } from '../../../contracts/names.ts';
import { connectRedis } from '../../../platform/redis/redis-connection.ts';
import { endOf, quick } from '../../harness/jobs.ts';
import type { Stack } from '../../harness/stack.ts';
import { closeTemporalClients, temporalClient } from '../../harness/streaming-worker.ts';
import { waitFor } from '../../harness/wait-for.ts';

export async function refusesExpiredKey(stack: Stack, client: UnbrokenClient): Promise<void> {
  const definition: NewPipeline = { steps: { one: { input: quick('once') } } };
  const key = { idempotencyKey: 'an expired job' };
  const { id } = await client.jobs.run({ definition }, key);
  await endOf(client, id);
  const redis = await connectRedis(stack.env['REDIS_URL'] ?? '', () => undefined);
  try {
    const run = (await temporalClient(stack.env)).workflow.getHandle(workflowId('dev', id));
    await waitFor('the end of the run', async () => (await run.describe()).status.name === 'COMPLETED');
    // As Redis does when the time is over.
    await redis.del(await redis.keys(REDIS_KEYS.job(id, '*')));
    const refusal = { code: 'idempotency_conflict' };
    await expect(client.jobs.run({ definition }, key)).rejects.toMatchObject(refusal);
    // It waits for no run, which would never come.
    expect(await client.jobs.get(id)).toMatchObject({ status: 'failed', error: refusal });
  } finally {
    redis.destroy();
    await closeTemporalClients();
  }
}
