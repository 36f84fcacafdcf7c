import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { EventBody } from '../../contracts/events.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import type { EventLog } from '../../streaming/event-log.ts';
import { createRedisEventLog } from '../../streaming/redis-event-log.ts';
import { startTestRedis, type TestRedis } from './redis-server.ts';

const END: EventBody = { type: 'generation-cancel', attempts: 1, usage: NO_USAGE, costMicroUsd: 0 };
const delta = (text: string): EventBody => ({ type: 'text-delta', text });
let redis: TestRedis;
let log: EventLog;
let logs = 0;
beforeAll(async () => {
  redis = await startTestRedis();
  log = createRedisEventLog(await redis.connect(), { retentionMs: 60_000 });
});
afterAll(() => redis?.stop());

async function newLog(): Promise<string> {
  logs += 1;
  const generationId = `gen_${logs}`;
  const input = { messages: [{ role: 'user', content: 'Why?' }], maxOutputTokens: 100 } as const;
  const owner = { tenant: 'acme', user: 'ann', route: 'default', requestHash: 'hash' };
  await log.create({ generationId, ...owner, metadata: { a: 'b' }, input, origin: { store: true } });
  return generationId;
}

async function writeBatches(generationId: string, batches: readonly (readonly EventBody[])[]): Promise<void> {
  const { writer } = await log.open(generationId, 5);
  for (const batch of batches) {
    for (const event of batch) void writer.write(event, { covers: 'secret' });
    await writer.flush();
  }
}

test('a log that is erased while it runs is hidden at once, and its texts go with its end', async () => {
  const generationId = await newLog();
  expect(await log.erase(generationId)).toEqual({ when: 'at-end', isStored: false });
  expect(await log.head(generationId)).toMatchObject({ erased: true, status: 'running' });
  await writeBatches(generationId, [[delta('secret')], [delta('more'), END]]);
  expect(await log.read(generationId, -1)).toEqual([]);
  expect(await log.readInput(generationId)).toBeNull();
  const ended = { erased: true, metadata: {}, status: 'cancelled', origin: null };
  expect(await log.head(generationId)).toMatchObject(ended);
});

test('an answer is not stored for others once its log is erased, and one that was stored is told by the erasure', async () => {
  const [kept, running, ended] = [await newLog(), await newLog(), await newLog()];
  await writeBatches(kept, [[END]]);
  expect(await log.noteStored(kept)).toBe(true);
  expect(await log.erase(kept)).toEqual({ when: 'now', isStored: true });
  await log.erase(running);
  expect(await log.noteStored(running)).toBe(false);
  await writeBatches(ended, [[END]]);
  await log.erase(ended);
  expect(await log.noteStored(ended)).toBe(false);
  expect(await log.noteStored('gen_unknown')).toBe(false);
});
