import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventBody } from '../../../contracts/events.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { listenToEnds } from '../../../engine/streaming/listen-to-ends.ts';
import { RedisEventLog } from '../../../engine/streaming/redis-event-log.ts';
import { RedisStoredBytes, type StoredBytes } from '../../../engine/streaming/stored-bytes.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { waitFor } from '../../harness/wait-for.ts';
import { startTestRedis, type TestRedis } from './redis-server.ts';

const RETENTION_MS = 24 * 3_600_000;
const LIMIT = 1_000;
let server: TestRedis;
let redis: RedisConnection;
let stored: StoredBytes;
beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
  stored = new RedisStoredBytes(redis, { bytesPerTenant: LIMIT, retentionMs: RETENTION_MS });
});
afterAll(() => server?.stop());

const countsOf = async (tenant: string) => {
  const counts = await redis.hGetAll(REDIS_KEYS.storedBytes(tenant));
  return Object.fromEntries(Object.entries(counts).map(([hour, bytes]) => [hour, Number(bytes)]));
};
const sumOf = async (tenant: string) =>
  Object.values(await countsOf(tenant)).reduce((sum, bytes) => sum + bytes, 0);
const hoursFromNow = (ms: number) => String(Math.floor((Date.now() + ms) / 3_600_000));

describe('what a tenant keeps', () => {
  test('is refused over its limit, and another tenant does not feel it', async () => {
    await stored.takeInput('a', 600);
    await expect(stored.takeInput('a', 401)).rejects.toMatchObject({ code: 'storage_exceeded' });
    await stored.takeInput('a', 400);
    await expect(stored.takePrompt('a', 1)).rejects.toMatchObject({ code: 'storage_exceeded' });
    await stored.takeInput('b', 1_000);
    expect(await sumOf('a')).toBe(1_000);
  });

  test('is counted once, also where a hundred come at once', async () => {
    const taken = await Promise.allSettled(Array.from({ length: 100 }, () => stored.takeInput('c', 30)));
    expect(taken.filter(({ status }) => status === 'fulfilled')).toHaveLength(33);
    expect(await sumOf('c')).toBe(990);
  });

  test('no longer counts once its hour is over, even if it was never subtracted', async () => {
    await stored.takeInput('d', 900);
    const [[hour = '', bytes = 0] = []] = Object.entries(await countsOf('d'));
    await redis.hDel(REDIS_KEYS.storedBytes('d'), hour);
    await redis.hSet(REDIS_KEYS.storedBytes('d'), hoursFromNow(-3_600_000), bytes);
    await stored.takeInput('d', 900);
    expect(await sumOf('d')).toBe(900);
  });

  test('is given back where it is not kept, and never more than was there', async () => {
    const counted = await stored.takeInput('e', 300);
    await stored.dropInput('e', counted);
    await stored.dropInput('e', counted);
    expect(await countsOf('e')).toEqual({});
    await stored.takePrompt('e', 1_000);
    await stored.dropPrompt('e', 5_000);
    expect(await countsOf('e')).toEqual({});
  });

  test('is forgotten with its tenant, but not what has no end', async () => {
    await stored.takeInput('f', 1);
    expect(await redis.pTTL(REDIS_KEYS.storedBytes('f'))).toBeGreaterThan(LIMITS.openLogTtlMs);
    await stored.takePrompt('f', 1);
    await stored.takeInput('f', 1);
    expect(await redis.pTTL(REDIS_KEYS.storedBytes('f'))).toBe(-1);
  });
});

describe('the input of a generation that has ended', () => {
  const end = (finishReason: 'stop' | 'length'): EventBody => ({
    type: 'generation-end',
    provider: 'sim',
    model: 'm',
    finishReason,
    attempts: 1,
    cached: false,
    usage: NO_USAGE,
    costMicroUsd: 0,
  });
  const cancel: EventBody = { type: 'generation-cancel', attempts: 1, usage: NO_USAGE, costMicroUsd: 0 };

  test.each<[string, string | undefined, EventBody, number]>([
    ['that is whole goes within an hour', undefined, end('stop'), LIMITS.endedInputMs],
    ['that was cancelled goes within an hour', 'openai-chat', cancel, LIMITS.endedInputMs],
    ['that was cut by its length stays with its log', undefined, end('length'), RETENTION_MS],
    ['that can be chained from stays with its log', 'openai-responses', end('stop'), RETENTION_MS],
  ])('%s', async (what, format, last, keptMs) => {
    const missed: unknown[] = [];
    const listener = listenToEnds(stored, (error) => missed.push(error));
    const log = new RedisEventLog(redis, { retentionMs: RETENTION_MS, listener });
    const generationId = `gen_${what.replaceAll(' ', '_')}`;
    const tenant = generationId;
    const input = { messages: [{ role: 'user' as const, content: 'hello' }], maxOutputTokens: 10 };
    await log.create({
      generationId,
      tenant,
      user: 'ann',
      route: 'default',
      requestHash: '',
      metadata: {},
      input,
      counted: await stored.takeInput(tenant, 500),
      origin: format === undefined ? undefined : { format },
    });
    const { writer } = await log.open(generationId, 1);
    await writer.write({ type: 'text-delta', text: 'a' });
    await writer.flush();
    expect(await countsOf(tenant)).toEqual({ [hoursFromNow(LIMITS.openLogTtlMs)]: 500 });
    await writer.write(last);
    await writer.flush();
    await waitFor('the count', async () => Object.hasOwn(await countsOf(tenant), hoursFromNow(keptMs)));
    expect(await sumOf(tenant)).toBe(500);
    const leftMs = await redis.pTTL(REDIS_KEYS.logInput(generationId));
    expect(leftMs).toBeGreaterThan(keptMs / 2);
    expect(leftMs).toBeLessThanOrEqual(keptMs);
    expect(await log.readInput(generationId)).toEqual(input);
    expect(missed).toEqual([]);
  });
});
