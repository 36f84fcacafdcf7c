import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { createRedisEventLog } from '../../streaming/redis-event-log.ts';
import { creationOf, END, RETENTION_MS, testEventLog } from './event-log-contract.ts';
import { startTestRedis, type TestRedis } from './redis-server.ts';

let server: TestRedis | undefined;
beforeAll(async () => {
  server = await startTestRedis();
});
afterAll(async () => {
  await server?.stop();
});

async function connect() {
  if (server === undefined) throw new Error('Redis has not started');
  return server.connect();
}

testEventLog('Redis', async () => ({ redis: await connect(), stop: async () => undefined }));

test('an ended log is kept for the retention and no longer', async () => {
  const redis = await connect();
  const log = createRedisEventLog(redis, { retentionMs: RETENTION_MS });
  const generationId = 'gen_kept';
  await log.create(creationOf(generationId));
  const { writer } = await log.open(generationId, 1);
  await writer.write(END);
  await writer.flush();
  for (const key of ['logMeta', 'logStream', 'logInput'] as const) {
    const leftMs = await redis.pTTL(REDIS_KEYS[key](generationId));
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(RETENTION_MS);
  }
});
