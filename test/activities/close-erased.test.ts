import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { closeGeneration } from '../../activities/close-generation.ts';
import type { EventBody } from '../../contracts/events.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import type { EventLog } from '../../engine/streaming/event-log.ts';
import { RedisEventLog } from '../../engine/streaming/redis-event-log.ts';
import { startTestRedis, type TestRedis } from '../engine/streaming/redis-server.ts';
import { FIRST, orderOf } from '../workflows/workflow-environment.ts';

let redis: TestRedis;
let log: EventLog;
beforeAll(async () => {
  redis = await startTestRedis();
  log = new RedisEventLog(await redis.connect(), { retentionMs: 60_000 });
});
afterAll(() => redis?.stop());

const USED = { usage: { ...NO_USAGE, outputTokens: 7 }, costMicroUsd: 70, attempts: 2 };
const error = { code: 'provider_bad_request', message: 'it quotes the prompt', doc: '' } as const;
const ENDS: Readonly<Record<string, EventBody>> = {
  cancelled: { type: 'generation-cancel', ...USED },
  failed: { type: 'generation-error', error, ...USED },
};

test.each(Object.entries(ENDS))(
  'a log that was erased as it ended (%s) still says what it cost',
  async (status, end) => {
    const order = orderOf();
    const { generationId, tenant, user, route } = order;
    const input = { messages: [{ role: 'user', content: 'Why?' }], maxOutputTokens: 100 } as const;
    await log.create({ generationId, tenant, user, route, requestHash: 'hash', metadata: {}, input });
    const { provider, model } = FIRST;
    await log.appendOnce(generationId, 'begun', [
      { type: 'provider-start', provider, model, attempt: 2, strategy: 'start' },
    ]);
    await log.erase(generationId);
    await log.appendOnce(generationId, 'end', [end]);
    const unused = () => {
      throw new Error('nothing is left to be asked for');
    };
    const close = closeGeneration({
      log,
      countTexts: unused,
      priceOf: unused,
      providers: new Map(),
      gate: { keyOf: unused },
      context: { read: async (_: string, { messages }: { messages: unknown }) => messages },
      compression: { compressOnce: unused, read: unused },
      flights: {},
    } as unknown as Parameters<typeof closeGeneration>[0]);
    const outcome = await close({ order, as: 'failed', error: { code: 'internal', message: '' } });
    expect(outcome).toMatchObject({ status, ...USED });
    expect(JSON.stringify(await log.view(generationId))).not.toContain('quotes the prompt');
  },
);
