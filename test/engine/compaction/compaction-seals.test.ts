/** Seals of compacted conversations: only their own tenant opens them, and only if they were not changed. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { compactionPart } from '../../../contracts/compaction.ts';
import { RedisCompactionSeals } from '../../../engine/compaction/compaction-seals.ts';
import { SealedContext } from '../../../engine/compaction/sent-context.ts';
import { RedisReasoningSeals } from '../../../engine/reasoning/seals.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis } from '../streaming/redis-server.ts';

let server: Awaited<ReturnType<typeof startTestRedis>>;
let redis: RedisConnection;
beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(() => server.stop());

const CONTEXT = {
  summary: 'They chose blue. ✓',
  lead: [{ role: 'developer' as const, content: 'Be brief.' }],
  tail: [{ role: 'user' as const, content: 'And now?' }],
  keepsUserMessages: false,
};

test('any process of the installation opens what another has sealed for its tenant, and for no other', async () => {
  const sealed = await new RedisCompactionSeals(redis).seal('acme', CONTEXT);
  const seals = new RedisCompactionSeals(redis);
  expect(await seals.open('acme', sealed)).toEqual(CONTEXT);
  expect(await seals.open('rival', sealed)).toBeNull();
  for (const place of [6, 40, sealed.length - 8]) {
    const other = sealed[place] === 'A' ? 'B' : 'A';
    expect(await seals.open('acme', sealed.slice(0, place) + other + sealed.slice(place + 1))).toBeNull();
  }
  expect(await seals.open('acme', sealed.slice(0, -10))).toBeNull();
});

test('a seal of reasoning is no compaction, and the other way round', async () => {
  const owner = { tenant: 'acme', provider: 'openai', account: null };
  const thoughts = await new RedisReasoningSeals(redis).seal(owner, { wire: 'openai-responses', value: {} });
  expect(await new RedisCompactionSeals(redis).open('acme', thoughts)).toBeNull();
  const sealed = await new RedisCompactionSeals(redis).seal('acme', CONTEXT);
  expect(await new RedisReasoningSeals(redis).open(owner, sealed)).toBeNull();
});

describe('the conversation as it is sent', () => {
  const user = (content: string) => ({ role: 'user' as const, content });

  test('has a compaction opened, and what stands before it left out', async () => {
    const seals = new RedisCompactionSeals(redis);
    const context = new SealedContext(seals);
    const part = compactionPart(await seals.seal('acme', CONTEXT));
    const item = { role: 'assistant' as const, content: [part, { type: 'text' as const, text: 'Red.' }] };
    const messages = [user('One'), item, user('Two')];
    const sent = await context.read('acme', { messages }, null);
    expect(sent?.map(({ role }) => role)).toEqual(['developer', 'user', 'user', 'assistant', 'user']);
    expect(JSON.stringify(sent)).toContain('They chose blue.');
    expect(JSON.stringify(sent)).not.toContain('One');
    expect(sent?.slice(2)).toEqual([
      user('And now?'),
      { ...item, content: item.content.slice(1) },
      user('Two'),
    ]);
    expect(await context.read('rival', { messages }, null)).toBeNull();
    const plain = [user('One')];
    expect(await context.read('acme', { messages: plain }, null)).toBe(plain);
  });

  test('keeps the last turn beside the summary, and its seal does so, too, without the conversation', async () => {
    const context = new SealedContext(new RedisCompactionSeals(redis));
    const developer = { role: 'developer' as const, content: 'Be brief.' };
    const messages = [developer, user('One'), { role: 'assistant' as const, content: '1' }, user('Two')];
    const input = { messages, compaction: { generationId: 'gen_1', from: 3, words: 200 } };
    const sealed = await context.seal('acme', input, 'They counted.');
    if (sealed === null) throw new Error('it is small enough');
    const sent = await context.read('acme', input, sealed);
    expect(sent?.[0]).toEqual(developer);
    expect(sent?.[1]?.content).toContain('They counted.');
    expect(sent?.slice(2)).toEqual([user('Two')]);
    const later = {
      messages: [{ role: 'assistant' as const, content: [compactionPart(sealed)] }, user('Three')],
    };
    expect(await context.read('acme', later, null)).toEqual([...(sent ?? []), user('Three')]);
    expect(await context.read('acme', input, null)).toBe(messages);
  });
});
