import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { LIMITS } from '../../../contracts/limits.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import type {
  ConversationItem,
  ConversationStore,
} from '../../../engine/conversations/conversation-store.ts';
import { RedisConversations } from '../../../engine/conversations/redis-conversations.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const KEPT_MS = 60_000;
let server: TestRedis;
let redis: RedisConnection;
let store: ConversationStore;
let id: string;
beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  store = new RedisConversations(redis, { keptMs: KEPT_MS });
  id = `conv_${randomUUID()}`;
  const owner = { tenant: 'acme', user: 'ann', metadata: { a: 'b' }, untilHour: 7 };
  await store.create({ id, ...owner }, [item('first')]);
});

const item = (name: string): ConversationItem => ({ id: name, type: 'message', text: name });
const names = async () => (await store.itemIds(id)).map((place) => place.id);

describe('a conversation', () => {
  test('has its items in the order in which they were added, and what it was created with', async () => {
    await store.append(
      id,
      Array.from({ length: 12 }, (_, index) => item(`item-${index}`)),
      8,
    );
    expect(await names()).toEqual(['first', ...Array.from({ length: 12 }, (_, index) => `item-${index}`)]);
    expect(await store.items(id, (await store.itemIds(id)).slice(0, 2))).toEqual([
      item('first'),
      item('item-0'),
    ]);
    expect(await store.head(id)).toMatchObject({ tenant: 'acme', metadata: { a: 'b' }, untilHour: 8 });
  });

  test('expires, with its items, a while after its last change', async () => {
    for (const part of ['meta', 'entries']) {
      const leftMs = await redis.pTTL(REDIS_KEYS.conversation(id, part));
      expect(leftMs).toBeGreaterThan(KEPT_MS / 2);
    }
    expect([await store.delete(id), await store.delete(id)]).toEqual([true, false]);
    expect(await store.head(id)).toBeNull();
    expect(await names()).toEqual([]);
    expect(await store.append(id, [item('late')], 8)).toBe('missing');
  });

  test('takes no more items than its limit, and counts what is deleted', async () => {
    const before = (await store.head(id))?.bytes;
    const many = Array.from({ length: LIMITS.conversationItems }, (_, index) => item(`item-${index}`));
    expect(await store.append(id, many, 8)).toBe('full');
    expect(await names()).toEqual(['first']);
    await store.append(id, [item('second')], 8);
    expect(await store.deleteItem(id, 'second')).toBe(JSON.stringify(item('second')).length);
    expect(await store.deleteItem(id, 'second')).toBeNull();
    expect((await store.head(id))?.bytes).toBe(before);
  });
});

describe('a turn', () => {
  const settle = (generationId: string, ...items: string[]) =>
    store.settle(id, { generationId, items: items.map(item), untilHour: 9 });

  test('is settled once, at the place that it reserved, however often it is repeated', async () => {
    expect(await store.reserve(id, 'gen_a')).toBe('reserved');
    expect(await store.reserve(id, 'gen_a')).toBe('known');
    await store.append(id, [item('added meanwhile')], 8);
    const settled = [settle('gen_a', 'question', 'answer'), settle('gen_a', 'question', 'answer')];
    expect((await Promise.all(settled)).sort()).toEqual([false, true]);
    expect(await names()).toEqual(['first', 'question', 'answer', 'added meanwhile']);
    expect(await store.reserve(id, 'gen_a')).toBe('known');
    await settle('gen_a', 'question', 'answer');
    await store.abandon(id, 'gen_a');
    expect(await names()).toEqual(['first', 'question', 'answer', 'added meanwhile']);
    expect((await store.head(id))?.pending).toBeNull();
  });

  test('keeps others out until it is settled or given up', async () => {
    await store.reserve(id, 'gen_a');
    expect(await store.reserve(id, 'gen_b')).toBe('locked');
    expect((await store.head(id))?.pending).toMatchObject({ generationId: 'gen_a' });
    await store.abandon(id, 'gen_b');
    expect(await store.reserve(id, 'gen_b')).toBe('locked');
    await store.abandon(id, 'gen_a');
    expect(await store.reserve(id, 'gen_b')).toBe('reserved');
    await settle('gen_b', 'b');
    expect(await names()).toEqual(['first', 'b']);
  });

  test('that ends after the conversation was deleted brings nothing back', async () => {
    await store.reserve(id, 'gen_a');
    await store.delete(id);
    expect(await settle('gen_a', 'question')).toBe(false);
    expect(await store.head(id)).toBeNull();
    expect(await names()).toEqual([]);
  });
});
