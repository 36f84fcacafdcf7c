import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CacheQuestion } from '../../cache/answer-cache.ts';
import { createLocalEmbedder } from '../../cache/local-embedder.ts';
import { createRedisFlights } from '../../cache/redis-flights.ts';
import { createVerifier } from '../../cache/verifier/verify.ts';
import type { RedisConnection } from '../../streaming/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const embedder = { ...createLocalEmbedder(), timeoutMs: 10_000 };
const verifier = createVerifier();
const wishes = { mayLead: true, threshold: 0.5 };
let server: TestRedis;
let redis: RedisConnection;
let count = 0;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(async () => {
  await embedder.close();
  await server?.stop();
});

const flights = () => createRedisFlights({ redis, embedder, verifier });

/** Questions of a tenant that no other test has. */
function questions(): (content: string, maxOutputTokens?: number) => CacheQuestion {
  count += 1;
  const tenant = `tenant-${count}`;
  return (content, maxOutputTokens = 100) => ({
    tenant,
    candidates: [{ provider: 'p', model: 'm' }],
    input: { messages: [{ role: 'user', content }], maxOutputTokens },
  });
}

async function follow(question: CacheQuestion, generationId: string) {
  const joined = await flights().join(question, generationId, wishes);
  if (joined.role !== 'follow') throw new Error(`${generationId} does not follow`);
  return joined;
}

describe('a flight', () => {
  test('has one leader, however many come at once', async () => {
    const ask = questions();
    const ids = Array.from({ length: 20 }, (_, index) => `gen_${index}`);
    const joined = await Promise.all(ids.map((id) => flights().join(ask('Why?'), id, wishes)));
    const followers = joined.flatMap((one) => (one.role === 'follow' ? [one] : []));
    expect(followers).toHaveLength(19);
    expect(new Set(followers.map(({ leader }) => leader)).size).toBe(1);
  });

  test('gives the same role to one who asks again', async () => {
    const ask = questions();
    for (const _ of [1, 2]) expect(await flights().join(ask('Why?'), 'a', wishes)).toEqual({ role: 'alone' });
    for (const _ of [1, 2])
      expect(await follow(ask('Why?'), 'b')).toMatchObject({ leader: 'a', shares: true });
    expect(await flights().close(ask('Why?'), 'a')).toBe(2);
    expect(await follow(ask('Why?'), 'b')).toMatchObject({ leader: 'a', shares: true });
    expect(await flights().close(ask('Why?'), 'a')).toBe(2);
  });

  test('is joined in other words that ask the same, not in others, and not across tenants', async () => {
    const ask = questions();
    await flights().join(ask('How do I turn on dark mode?'), 'a', wishes);
    const joined = await follow(ask('What is the way to enable dark mode?'), 'b');
    expect(joined).toMatchObject({ leader: 'a' });
    expect(joined.similarity).toBeLessThan(1);
    for (const other of [ask('How do I turn off dark mode?'), questions()('How do I turn on dark mode?')]) {
      expect(await flights().join(other, 'c', wishes)).toEqual({ role: 'alone' });
    }
  });

  test('is not joined by one with another output cap, nor led by one who may only read', async () => {
    const ask = questions();
    await flights().join(ask('Why?'), 'a', wishes);
    expect(await flights().join(ask('Why?', 200), 'b', wishes)).toEqual({ role: 'alone' });
    expect(await flights().join(ask('How?'), 'c', { ...wishes, mayLead: false })).toEqual({ role: 'alone' });
    expect(await flights().join(ask('How?'), 'd', wishes)).toEqual({ role: 'alone' });
    expect(await follow(ask('How?'), 'e')).toMatchObject({ leader: 'd' });
  });

  test('that is closed counts those who followed it to the end; one who left before owes nothing', async () => {
    const ask = questions();
    await flights().join(ask('Why?'), 'a', wishes);
    const [{ flight }] = [await follow(ask('Why?'), 'b'), await follow(ask('Why?'), 'c')];
    expect(await flights().leave(flight, 'b')).toBe(false);
    expect(await flights().close(ask('Why?'), 'a')).toBe(2);
    expect(await flights().leave(flight, 'c')).toBe(true);
    expect(await follow(ask('Why?'), 'd')).toMatchObject({ leader: 'a', shares: false });
    expect(await flights().leave(flight, 'd')).toBe(false);
  });

  test('whose answer is stored is joined by nobody new; who still copies keeps its place', async () => {
    const ask = questions();
    await flights().join(ask('Why?'), 'a', wishes);
    await follow(ask('Why?'), 'b');
    await flights().close(ask('Why?'), 'a');
    await flights().forget(ask('Why?'), 'a');
    expect(await follow(ask('Why?'), 'b')).toMatchObject({ leader: 'a', shares: true });
    expect(await flights().join(ask('Why?'), 'c', wishes)).toEqual({ role: 'alone' });
    expect(await follow(ask('Why?'), 'd')).toMatchObject({ leader: 'c' });
  });

  test('that was dissolved is led by the next; a stranger cannot close or dissolve it', async () => {
    const ask = questions();
    await flights().join(ask('Why?'), 'a', wishes);
    const { flight } = await follow(ask('Why?'), 'b');
    await flights().dissolve(flight, 'b');
    expect(await flights().close(ask('Why?'), 'b')).toBe(1);
    expect(await follow(ask('Why?'), 'c')).toMatchObject({ leader: 'a' });
    await flights().dissolve(flight, 'a');
    expect(await flights().join(ask('Why?'), 'd', wishes)).toEqual({ role: 'alone' });
    expect(await flights().close(ask('Why?'), 'a')).toBe(1);
    expect(await flights().close(ask('Why?'), 'd')).toBe(1);
  });
});
