/** What the items of conversations count as, on a real Redis. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  addCounted,
  deleteCounted,
  deleteCountedItem,
} from '../../../api/wires/openai-conversations/counted-bytes.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { HOUR_MS } from '../../../contracts/time.ts';
import { RedisConversations } from '../../../engine/conversations/redis-conversations.ts';
import { RedisStoredBytes } from '../../../engine/streaming/stored-bytes.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../../engine/streaming/redis-server.ts';

const config = loadConfig({ UNBROKEN_SIMULATOR_URL: 'http://127.0.0.1:9' });
const LATER = Math.floor((Date.now() + config.retention.conversationMs) / HOUR_MS);
let server: TestRedis;
let redis: RedisConnection;
beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server?.stop());

const item = (id: string, text = id) => ({ id, type: 'message', text });
const bytesOf = (...items: object[]) => items.reduce((sum, each) => sum + JSON.stringify(each).length, 0);

/** A conversation of another tenant, with one item, which has counted until an earlier hour. */
async function newConversation() {
  const conversations = new RedisConversations(redis, { keptMs: config.retention.conversationMs });
  const stored = new RedisStoredBytes(redis, { bytesPerTenant: 10_000, retentionMs: HOUR_MS });
  const parts = { config, conversations, stored };
  const [id, tenant] = [`conv_${randomUUID()}`, randomUUID()];
  const first = item('first');
  const counted = await stored.takeInput(tenant, bytesOf(first), config.retention.conversationMs / 2);
  const { untilHour } = counted;
  await conversations.create({ id, tenant, user: 'ann', metadata: {}, untilHour }, [first]);
  const head = async () => {
    const found = await conversations.head(id);
    if (found === null) throw new Error('The conversation is gone.');
    return found;
  };
  const add = async (...items: ReturnType<typeof item>[]) =>
    addCounted(parts, await head(), items, (hour) => conversations.append(id, items, hour));
  const counts = async () => {
    const fields = Object.entries(await redis.hGetAll(REDIS_KEYS.storedBytes(tenant)));
    return fields.map(([hour, bytes]) => [Number(hour), Number(bytes)]);
  };
  return { parts, conversations, id, first, head, add, counts, untilHour };
}

test('all of a conversation counts until the hour in which it expires now', async () => {
  const { first, add, counts } = await newConversation();
  const second = item('second');
  expect(await add(second)).toBe('appended');
  expect(await counts()).toEqual([[LATER, bytesOf(first, second)]]);
});

test('items that a full conversation does not take count no longer, and neither do those of none', async () => {
  const { conversations, id, first, add, counts, parts, head, untilHour } = await newConversation();
  const many = Array.from({ length: LIMITS.conversationItems }, () => item('x'));
  const before = [[untilHour, bytesOf(first)]];
  const room = { ...parts, stored: new RedisStoredBytes(redis, { bytesPerTenant: null, retentionMs: 1 }) };
  const append = (hour: number) => conversations.append(id, many, hour);
  for (let time = 0; time < 3; time += 1) {
    expect(await addCounted(room, await head(), many, append)).toBe('full');
  }
  await expect(add(item('large', 'x'.repeat(10_000)))).rejects.toMatchObject({ code: 'storage_exceeded' });
  expect(await counts()).toEqual(before);
});

test('a deleted item counts no longer', async () => {
  const { parts, first, add, counts, head } = await newConversation();
  await add(item('second'));
  expect(await deleteCountedItem(parts, await head(), 'second')).toBe(true);
  expect(await deleteCountedItem(parts, await head(), 'second')).toBe(false);
  expect(await counts()).toEqual([[LATER, bytesOf(first)]]);
});

test('a conversation that is deleted twice at once gives back what it counted as once', async () => {
  const { parts, counts, head, untilHour } = await newConversation();
  const { tenant, bytes } = await head();
  await parts.stored.takeInput(tenant, bytes, config.retention.conversationMs / 2);
  const found = await head();
  await Promise.all([deleteCounted(parts, found), deleteCounted(parts, found)]);
  expect(await counts()).toEqual([[untilHour, bytes]]);
});
