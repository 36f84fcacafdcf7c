import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LIMITS } from '../../../contracts/limits.ts';
import { NO_USAGE } from '../../../contracts/money.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import { splitCost, type Used } from '../../../contracts/share.ts';
import type { CacheQuestion } from '../../../engine/cache/answer-cache.ts';
import { cacheKey, pointId } from '../../../engine/cache/cache-key.ts';
import { RedisComplaints } from '../../../engine/cache/redis-complaints.ts';
import { RedisFlights } from '../../../engine/cache/redis-flights.ts';
import { createThreadedVerifier } from '../../../engine/cache/threaded-verifier.ts';
import { createLocalEmbedder } from '../../../engine/embedding/local-embedder.ts';
import { SentenceEncoder } from '../../../engine/embedding/sentence-encoder.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { PATIENT } from '../../harness/patience.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const embedder = { ...createLocalEmbedder(new SentenceEncoder()), timeoutMs: PATIENT.waitMs };
const verifier = createThreadedVerifier(PATIENT);
const wishes = { askedAtMs: Number.MAX_SAFE_INTEGER, mayLead: true, acceptedFalseHits: 0.01 };
let server: TestRedis;
let redis: RedisConnection;
let count = 0;

beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
});
afterAll(async () => {
  await Promise.all([embedder.close(), verifier.close()]);
  await server?.stop();
});

const flights = () => {
  const complaints = new RedisComplaints(redis);
  return new RedisFlights({ redis, embedder, verifier, complaints });
};

/** Questions of a tenant that no other test has. */
function questions(): (content: string, maxOutputTokens?: number) => CacheQuestion {
  count += 1;
  const tenant = `tenant-${count}`;
  return (content, maxOutputTokens = 100) => ({
    tenant,
    onlyUser: null,
    candidates: [{ provider: 'p', model: 'm' }],
    input: { messages: [{ role: 'user', content }], maxOutputTokens },
  });
}

async function follow(question: CacheQuestion, generationId: string) {
  const joined = await flights().join(question, generationId, wishes);
  if (joined.role !== 'follow') throw new Error(`${generationId} does not follow`);
  return { ...joined, shares: await flights().enter(joined.leader, generationId) };
}

/** A new leader: its log runs, and the attempt that opened it holds it. */
async function newLeader(question: CacheQuestion, opener = 'first'): Promise<string> {
  count += 1;
  const leader = `leader-${count}`;
  await redis.hSet(REDIS_KEYS.logMeta(leader), { status: 'running', opener });
  expect(await flights().join(question, leader, wishes)).toEqual({ role: 'alone' });
  return leader;
}

const USED = { usage: { ...NO_USAGE, inputTokens: 10, outputTokens: 91 }, costMicroUsd: 1_000 };

function close(question: CacheQuestion, generationId: string, answer: { opener?: string; used?: Used } = {}) {
  return flights().close(question, { generationId, opener: 'first', used: USED, ...answer });
}

async function end(leader: string, status: 'completed' | 'failed' = 'completed'): Promise<void> {
  await redis.hSet(REDIS_KEYS.logMeta(leader), { status });
}

describe('a flight', () => {
  test('has one leader, however many come at once', async () => {
    const ask = questions();
    const ids = Array.from({ length: 20 }, (_, index) => `gen_${index}`);
    const joined = await Promise.all(ids.map((id) => flights().join(ask('Why?'), id, wishes)));
    const followers = joined.flatMap((outcome) => (outcome.role === 'follow' ? [outcome] : []));
    expect(followers).toHaveLength(19);
    expect(new Set(followers.map(({ leader }) => leader)).size).toBe(1);
  });

  test('gives the same role to a repeated call', async () => {
    const ask = questions();
    const leader = await newLeader(ask('Why?'));
    expect(await flights().join(ask('Why?'), leader, wishes)).toEqual({ role: 'alone' });
    for (const _ of [1, 2]) expect(await follow(ask('Why?'), 'b')).toMatchObject({ leader, shares: true });
    expect(await close(ask('Why?'), leader)).toBe(2);
    expect(await follow(ask('Why?'), 'b')).toMatchObject({ leader, shares: true });
    expect(await close(ask('Why?'), leader)).toBe(2);
  });

  test('is joined in other words that ask the same, not in others, and not across tenants', async () => {
    const ask = questions();
    const leader = await newLeader(ask('How do I turn on dark mode?'));
    const joined = await follow(ask('What is the way to enable dark mode?'), 'b');
    expect(joined).toMatchObject({ leader });
    expect(joined.similarity).toBeLessThan(1);
    for (const other of [ask('How do I turn off dark mode?'), questions()('How do I turn on dark mode?')]) {
      expect(await flights().join(other, 'c', wishes)).toEqual({ role: 'alone' });
    }
  });

  test('is not joined by another user if users do not share, not even with the same words', async () => {
    const ask = questions();
    const of = (onlyUser: string, content: string) => ({ ...ask(content), onlyUser });
    const leader = await newLeader(of('ann', 'How do I turn on dark mode?'));
    const others = { bob: 'How do I turn on dark mode?', eve: 'What is the way to enable dark mode?' };
    for (const [user, words] of Object.entries(others)) {
      expect(await flights().join(of(user, words), user, wishes)).toEqual({ role: 'alone' });
    }
    expect(await follow(of('ann', 'What is the way to enable dark mode?'), 'c')).toMatchObject({ leader });
  });

  test('is not joined by a question with signs that the verifier does not know', async () => {
    const ask = questions();
    const leader = await newLeader(ask('How do I print ≤ in Python?'));
    expect(await flights().join(ask('Hello, how do I print ≥ in Python?'), 'b', wishes)).toEqual({
      role: 'alone',
    });
    expect(await follow(ask('Hello, how do I print ≤ in Python?'), 'c')).toMatchObject({ leader });
  });

  test('is not joined by a generation with another output cap, nor led by one that may only read', async () => {
    const ask = questions();
    await newLeader(ask('Why?'));
    expect(await flights().join(ask('Why?', 200), 'b', wishes)).toEqual({ role: 'alone' });
    expect(await flights().join(ask('How?'), 'c', { ...wishes, mayLead: false })).toEqual({ role: 'alone' });
    const leader = await newLeader(ask('How?'));
    expect(await follow(ask('How?'), 'e')).toMatchObject({ leader });
  });

  test('whose answer is stored takes no new followers; one that still copies keeps its place', async () => {
    const ask = questions();
    const leader = await newLeader(ask('Why?'));
    await follow(ask('Why?'), 'b');
    await close(ask('Why?'), leader);
    await end(leader);
    await flights().forget(ask('Why?'), leader);
    // One that was asked before may have looked for it before, and would pay for the answer again.
    const early = await flights().join(ask('Why?'), 'c', { ...wishes, askedAtMs: Date.now() - 1_000 });
    expect(early).toMatchObject({ role: 'follow', leader });
    const next = await newLeader(ask('Why?'));
    expect(await follow(ask('Why?'), 'd')).toMatchObject({ leader: next });
    expect(await flights().leave(leader, 'b')).toMatchObject({ state: 'owed', by: 2 });
  });

  test('that was dissolved is led by the next; a stranger cannot dissolve it', async () => {
    const ask = questions();
    const leader = await newLeader(ask('Why?'));
    const { flight } = await follow(ask('Why?'), 'b');
    await flights().dissolve(flight, 'b');
    expect(await follow(ask('Why?'), 'c')).toMatchObject({ leader });
    await flights().dissolve(flight, leader);
    const next = await newLeader(ask('Why?'));
    // Who still follows the old one shares its answer, should it have one after all.
    expect(await close(ask('Why?'), leader)).toBe(3);
    expect(await close(ask('Why?'), next)).toBe(1);
  });
});

describe('a member of a flight', () => {
  test('that left before the shares were fixed is not counted, and pays nothing', async () => {
    const ask = questions();
    const leader = await newLeader(ask('Why?'));
    await follow(ask('Why?'), 'b');
    await follow(ask('Why?'), 'c');
    expect(await flights().leave(leader, 'b')).toEqual({ state: 'none' });
    expect(await close(ask('Why?'), leader)).toBe(2);
    await end(leader);
    expect(await flights().leave(leader, 'b')).toEqual({ state: 'none' });
    const { leader: own, each } = splitCost(USED, 2);
    expect(await flights().leave(leader, 'c')).toEqual({ state: 'owed', by: 2, share: each });
    expect(own.costMicroUsd + each.costMicroUsd).toBe(USED.costMicroUsd);
  });

  test('that has left is not counted again by a process of it that is late', async () => {
    const ask = questions();
    const leader = await newLeader(ask('Why?'));
    await follow(ask('Why?'), 'b');
    await flights().leave(leader, 'b');
    // Nor is one that left before it was counted.
    await flights().leave(leader, 'c');
    expect(await flights().enter(leader, 'b')).toBe(false);
    expect(await flights().enter(leader, 'c')).toBe(false);
    expect(await close(ask('Why?'), leader)).toBe(1);
  });

  test('owes its share from the moment that it is counted, and learns it when its leader has ended', async () => {
    const ask = questions();
    const leader = await newLeader(ask('Why?'));
    await follow(ask('Why?'), 'b');
    await close(ask('Why?'), leader);
    for (const _ of [1, 2]) expect(await flights().leave(leader, 'b')).toEqual({ state: 'pending' });
    await end(leader);
    for (const _ of [1, 2]) expect(await flights().leave(leader, 'b')).toMatchObject({ state: 'owed' });
    // The flight of the same question may be led by another, and the leader's log be gone by then.
    await redis.del(REDIS_KEYS.logMeta(leader));
    expect(await flights().leave(leader, 'b')).toMatchObject({ state: 'owed' });
    await flights().discharge(leader, 'b');
    expect(await flights().leave(leader, 'b')).toEqual({ state: 'none' });
    expect(await redis.exists(REDIS_KEYS.flightMembers(leader))).toBe(0);
  });

  test('owes nothing to a leader that failed after all, or whose answer another attempt made', async () => {
    const ask = questions();
    const [failed, other] = [await newLeader(ask('Why?')), await newLeader(ask('How?'))];
    await follow(ask('Why?'), 'b');
    await follow(ask('How?'), 'b');
    for (const [question, leader] of [
      ['Why?', failed],
      ['How?', other],
    ] as const) {
      expect(await close(ask(question), leader)).toBe(2);
    }
    await end(failed, 'failed');
    expect(await flights().leave(failed, 'b')).toEqual({ state: 'none' });
    await redis.hSet(REDIS_KEYS.logMeta(other), { status: 'completed', opener: 'second' });
    expect(await flights().leave(other, 'b')).toEqual({ state: 'none' });
  });

  test('pays what the attempt of its leader used that ended the log, not one that lost the log', async () => {
    const ask = questions();
    const leader = await newLeader(ask('Why?'));
    await follow(ask('Why?'), 'b');
    expect(await close(ask('Why?'), leader)).toBe(2);
    await redis.hSet(REDIS_KEYS.logMeta(leader), { opener: 'second' });
    const used = { ...USED, costMicroUsd: 600 };
    expect(await close(ask('Why?'), leader, { opener: 'second', used })).toBe(2);
    // A frozen process that wakes.
    expect(await close(ask('Why?'), leader)).toBe(1);
    await end(leader);
    expect(await close(ask('Why?'), leader, { opener: 'second' })).toBe(1);
    expect(await flights().leave(leader, 'b')).toMatchObject({ share: { costMicroUsd: 300 } });
  });

  test('that comes when the shares are fixed, or the leader has ended, takes the answer as from the cache', async () => {
    const ask = questions();
    const leader = await newLeader(ask('Why?'));
    await follow(ask('Why?'), 'b');
    await close(ask('Why?'), leader);
    expect(await follow(ask('Why?'), 'late')).toMatchObject({ leader, shares: false });
    await end(leader);
    await redis.del(REDIS_KEYS.flightMembers(leader));
    expect(await flights().enter(leader, 'later')).toBe(false);
    expect(await flights().leave(leader, 'late')).toEqual({ state: 'none' });
  });

  test('does not wait for ever for a leader that fixed the shares and never ended', async () => {
    const ask = questions();
    const leader = await newLeader(ask('Why?'));
    await follow(ask('Why?'), 'b');
    await close(ask('Why?'), leader);
    const members = REDIS_KEYS.flightMembers(leader);
    await redis.hSet(members, { closedAtMs: String(Date.now() - LIMITS.flightClosedMs - 1_000) });
    expect(await flights().leave(leader, 'b')).toEqual({ state: 'none' });
    // Should the leader come back, it counts again.
    expect(await close(ask('Why?'), leader)).toBe(1);
  });
});

test('a complaint keeps a question from following the flight of the other one, and a stranger may follow it', async () => {
  const ask = questions();
  const [follower, led] = [
    ask('How can I turn on two-factor authentication?'),
    ask('How do I enable two-factor authentication?'),
  ];
  const leader = await newLeader(led);
  const before = await flights().join(follower, 'gen_before', wishes);
  const entryId = pointId(cacheKey(led));
  expect(before).toMatchObject({ role: 'follow', leader, entryId, questionId: pointId(cacheKey(follower)) });
  await new RedisComplaints(redis).add(follower.tenant, {
    generationId: 'gen_before',
    entryId,
    user: 'ann',
    owner: null,
    questionId: pointId(cacheKey(follower)),
    questions: null,
    storedQuestion: null,
    similarity: 0.8,
  });
  expect(await flights().join(follower, 'gen_after', wishes)).toEqual({ role: 'alone' });
  expect(await flights().join(led, 'gen_same_words', wishes)).toMatchObject({ role: 'follow', entryId });
});
