import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { LIMITS } from '../../../contracts/limits.ts';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import type { CacheQuestion, DeletedEntries } from '../../../engine/cache/answer-cache.ts';
import { cacheKey, pointId, userTexts } from '../../../engine/cache/cache-key.ts';
import { type Complaint, raisedSimilarity } from '../../../engine/cache/complaints.ts';
import { deleteWithComplaints } from '../../../engine/cache/delete-with-complaints.ts';
import { NEVER, readCalibration, thresholdsOf } from '../../../engine/cache/pair-model/calibration.ts';
import { PairReader } from '../../../engine/cache/pair-model/pair-reader.ts';
import type { PairsToRead } from '../../../engine/cache/pair-model/read-pairs.ts';
import { RedisComplaints } from '../../../engine/cache/redis-complaints.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { PATIENT } from '../../harness/patience.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';
import {
  answer,
  asking,
  COLLECTION,
  cacheAt,
  entryId,
  LEAST_SIMILARITY,
  paraphrase,
  question,
  LIMITS as ROUTE,
  startTestQdrant,
  type TestQdrant,
} from './cache-fixture.ts';

let server: TestRedis;
let redis: RedisConnection;
let qdrant: TestQdrant;
let count = 0;
beforeAll(async () => {
  [server, qdrant] = await Promise.all([startTestRedis(), startTestQdrant()]);
  redis = await server.connect();
});
afterAll(async () => {
  await Promise.all([qdrant?.stop(), server?.stop()]);
});

function newTenant(): string {
  count += 1;
  return `tenant-${count}`;
}

function complaint(change: Partial<Complaint> = {}): Omit<Complaint, 'atMs'> {
  return {
    generationId: 'gen_1',
    entryId: 'entry',
    user: 'ann',
    owner: 'ann',
    questionId: 'question',
    questions: ['Why? 🌍 "quoted"'],
    storedQuestion: 'Why not?',
    similarity: 0.8,
    ...change,
  };
}

/** What the model estimates that both ask the same. */
async function logitOf(question: CacheQuestion, other: CacheQuestion): Promise<number> {
  const reader = new PairReader();
  const thresholds = { close: -NEVER, reworded: -NEVER };
  const pairs: PairsToRead['pairs'] = [[userTexts(question), userTexts(other)]];
  const [reading] = await reader.read({ pairs, thresholds, all: true }, { readMs: PATIENT.compareMs });
  await reader.close();
  return reading?.logit ?? Number.NaN;
}

const idsIn = (complaints: readonly Complaint[] = []) => complaints.map(({ generationId }) => generationId);

describe('complaints', () => {
  test('come back as they were made, and one of a generation counts once', async () => {
    const complaints = new RedisComplaints(redis);
    const tenant = newTenant();
    const made = complaint();
    const outcomes = await Promise.all([complaints.add(tenant, made), complaints.add(tenant, made)]);
    expect(outcomes.sort()).toEqual(['added', 'known']);
    const found = await new RedisComplaints(redis).of(tenant, ['other', 'entry']);
    expect([...found.keys()]).toEqual(['entry']);
    expect(found.get('entry')).toEqual([{ ...made, atMs: expect.any(Number) }]);
  });

  test('are not those of another tenant', async () => {
    const complaints = new RedisComplaints(redis);
    const [own, other] = [newTenant(), newTenant()];
    await complaints.add(own, complaint());
    expect((await complaints.of(other, ['entry'])).size).toBe(0);
    expect(await complaints.lift(other, 'entry', 'gen_1')).toBe(false);
    await complaints.delete({ tenant: other });
    expect((await complaints.of(own, ['entry'])).size).toBe(1);
  });

  test('are bounded by entry and by tenant, and expire', async () => {
    const complaints = new RedisComplaints(redis, 10);
    const tenant = newTenant();
    const addTo = (entry: string, at: number) =>
      complaints.add(tenant, complaint({ entryId: entry, generationId: `${entry}-${at}` }));
    for (let at = 0; at < LIMITS.complaintsPerEntry; at += 1) expect(await addTo('a', at)).toBe('added');
    expect(await addTo('a', LIMITS.complaintsPerEntry)).toBe('full');
    for (let at = 0; at < 4; at += 1) expect(await addTo('b', at)).toBe('added');
    // The two oldest of `a` made room.
    const found = await complaints.of(tenant, ['a', 'b']);
    expect(idsIn(found.get('a'))).toEqual(['a-2', 'a-3', 'a-4', 'a-5', 'a-6', 'a-7']);
    expect(found.get('b')).toHaveLength(4);
    for (const part of ['by-entry', 'entry-of', 'times']) {
      const ttlMs = await redis.pTTL(REDIS_KEYS.complaints(tenant, part));
      expect(ttlMs).toBeGreaterThan(LIMITS.complaintKeptMs - 60_000);
    }
    await redis.zAdd(REDIS_KEYS.complaints(tenant, 'times'), { score: 1, value: 'b-0' });
    await addTo('c', 0);
    expect(idsIn((await complaints.of(tenant, ['b'])).get('b'))).toEqual(['b-1', 'b-2', 'b-3']);
  });

  test('are listed in pages, the newest first', async () => {
    const complaints = new RedisComplaints(redis);
    const tenant = newTenant();
    const ids = ['gen_0', 'gen_1', 'gen_2', 'gen_3', 'gen_4'];
    for (const [at, generationId] of ids.entries()) {
      await complaints.add(tenant, complaint({ entryId: `entry-${at % 2}`, generationId }));
    }
    const scores = ids.map((value, score) => ({ score, value }));
    await redis.zAdd(REDIS_KEYS.complaints(tenant, 'times'), scores);
    const pages: string[][] = [];
    for (let offset: number | null = 0; offset !== null; ) {
      const page: Awaited<ReturnType<RedisComplaints['list']>> = await complaints.list(tenant, {
        offset,
        limit: 2,
      });
      pages.push(idsIn(page.complaints));
      offset = page.next;
    }
    expect(pages).toEqual([['gen_4', 'gen_3'], ['gen_2', 'gen_1'], ['gen_0']]);
  });

  test('are lifted one at a time, by an entry that has them', async () => {
    const complaints = new RedisComplaints(redis);
    const tenant = newTenant();
    for (const generationId of ['gen_1', 'gen_2']) await complaints.add(tenant, complaint({ generationId }));
    expect(await complaints.lift(tenant, 'other', 'gen_1')).toBe(false);
    expect(await complaints.lift(tenant, 'entry', 'gen_1')).toBe(true);
    expect(await complaints.lift(tenant, 'entry', 'gen_1')).toBe(false);
    expect(idsIn((await complaints.of(tenant, ['entry'])).get('entry'))).toEqual(['gen_2']);
    expect((await complaints.list(tenant, { offset: 0, limit: 9 })).complaints).toHaveLength(1);
  });

  test.each<[string, (tenant: string) => DeletedEntries, string[]]>([
    ['a user, also those about the answers of the user', (tenant) => ({ tenant, user: 'ann' }), ['bob-bob']],
    ['a generation', (tenant) => ({ tenant, generationId: 'ann-bob' }), ['ann-ann', 'bob-ann', 'bob-bob']],
    ['an entry', (tenant) => ({ tenant, entryId: 'of-ann' }), ['ann-bob', 'bob-bob']],
    ['the tenant', (tenant) => ({ tenant }), []],
  ])('are deleted with %s', async (_, of, left) => {
    const complaints = new RedisComplaints(redis);
    const tenant = newTenant();
    for (const user of ['ann', 'bob']) {
      for (const owner of ['ann', 'bob']) {
        const made = complaint({ user, owner, entryId: `of-${owner}`, generationId: `${user}-${owner}` });
        await complaints.add(tenant, made);
      }
    }
    const answers = { delete: async () => 1 };
    expect(await deleteWithComplaints(answers, complaints).delete(of(tenant))).toBe(1);
    const found = await complaints.of(tenant, ['of-ann', 'of-bob']);
    expect(idsIn([...found.values()].flat()).sort()).toEqual(left);
    expect(idsIn((await complaints.list(tenant, { offset: 0, limit: 9 })).complaints).sort()).toEqual(left);
  });

  test('stay if the entry is deleted for being wrong, or was not the user’s to delete', async () => {
    const complaints = new RedisComplaints(redis);
    const tenant = newTenant();
    await complaints.add(tenant, complaint());
    const none = deleteWithComplaints({ delete: async () => 0 }, complaints);
    await none.delete({ tenant, entryId: 'entry', storedUntilMs: 1 });
    await none.delete({ tenant, entryId: 'entry', user: 'bob' });
    expect((await complaints.of(tenant, ['entry'])).size).toBe(1);
    await none.delete({ tenant, entryId: 'entry', user: undefined });
    expect((await complaints.of(tenant, ['entry'])).size).toBe(0);
  });
});

test('each complaint halves what is left up to 1, and the third leaves the same words', () => {
  const required = [0, 1, 2, 3, 4].map((complaints) => raisedSimilarity(0.4, complaints));
  expect(required).toEqual([0.4, 0.7, 0.85, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
});

describe('a look-up', () => {
  const complaints = () => ({ complaints: new RedisComplaints(redis) });
  const cache = () => cacheAt(qdrant.url, 5_000, undefined, complaints());
  const clean = async () => {
    await qdrant.raw.deleteCollection(COLLECTION);
    await new RedisComplaints(redis).delete({ tenant: question.tenant });
  };
  const about = (by: CacheQuestion, generationId = 'gen_1') =>
    complaint({
      entryId,
      generationId,
      questionId: pointId(cacheKey(by)),
      questions: userTexts(by),
    });
  const object = (by: CacheQuestion, generationId?: string) =>
    new RedisComplaints(redis).add(question.tenant, about(by, generationId));

  test('never gives a quarantined question that entry again, even if it is stored again', async () => {
    await clean();
    await cache().store(question, answer);
    expect(await cache().lookUp(paraphrase, ROUTE)).toMatchObject({ outcome: 'hit', answer: { entryId } });
    await object(paraphrase);
    expect(await cache().lookUp(paraphrase, ROUTE)).toEqual({ outcome: 'miss', refused: 1 });
    expect((await cache().lookUpBest(paraphrase, ROUTE.acceptedFalseHits)).outcome).toBe('miss');
    await cache().store(question, { ...answer, text: 'Fresh.' });
    expect((await cache().lookUp(paraphrase, ROUTE)).outcome).toBe('miss');
    // The same words are the entry's own question.
    expect((await cache().lookUp(question, ROUTE)).outcome).toBe('hit');
    await new RedisComplaints(redis).lift(question.tenant, entryId, 'gen_1');
    expect((await cache().lookUp(paraphrase, ROUTE)).outcome).toBe('hit');
  });

  test('gives it to no question that asks the same as the quarantined one, with or without its id', async () => {
    await clean();
    await cache().store(question, answer);
    const turnOn = asking('What is the way to turn on two-factor authentication?');
    await new RedisComplaints(redis).add(question.tenant, { ...about(turnOn), questionId: null });
    // So near that the raised bar alone lets it pass.
    const near = asking('How can I enable two-factor authentication?');
    for (const other of [turnOn, paraphrase, near]) {
      expect(await cache().lookUp(other, ROUTE)).toMatchObject({ outcome: 'miss' });
    }
    await new RedisComplaints(redis).lift(question.tenant, entryId, 'gen_1');
    await object(asking('How do I reset the router?'), 'gen_2');
    expect(await cache().lookUp(near, ROUTE)).toMatchObject({ outcome: 'hit' });
  });

  test('gives it no entry either that asks the same as the refused one', async () => {
    await clean();
    await cache().store(question, answer);
    await cache().store(asking('What is the way to enable two-factor authentication?'), answer);
    expect((await cache().lookUp(paraphrase, ROUTE)).outcome).toBe('hit');
    await object(paraphrase);
    expect((await cache().lookUp(paraphrase, ROUTE)).outcome).toBe('miss');
  });

  test('requires more of other questions about that entry, and in the end the same words', async () => {
    await clean();
    await cache().store(question, answer);
    const found = await cache().lookUp(paraphrase, ROUTE);
    expect(found).toMatchObject({ outcome: 'hit', answer: { matchedBy: 'rules' } });
    const similarity = found.outcome === 'hit' ? found.answer.similarity : 0;
    const logit = await logitOf(paraphrase, question);
    const unlike = asking('How do I reset the router?');
    const needed = [0, 1, 2, 3].map((complaints) => {
      const surer = thresholdsOf(readCalibration(), ROUTE.acceptedFalseHits / 2 ** complaints);
      const isNear = similarity >= raisedSimilarity(LEAST_SIMILARITY, complaints);
      return isNear && surer !== null && logit >= surer.aligned;
    });
    expect([needed[0], needed.at(-1)]).toEqual([true, false]);
    for (const [complaints, isHit] of needed.entries()) {
      if (complaints > 0) await object(unlike, `gen_${complaints}`);
      expect((await cache().lookUp(paraphrase, ROUTE)).outcome).toBe(isHit ? 'hit' : 'miss');
    }
    expect((await cache().lookUp(question, ROUTE)).outcome).toBe('hit');
  });

  test('gives nothing but the same words while complaints cannot be read', async () => {
    await clean();
    const broken = cacheAt(qdrant.url, 5_000, undefined, {
      complaints: {
        of: async () => {
          throw new Error('Redis is down');
        },
      },
    });
    await broken.store(question, answer);
    expect(await broken.lookUp(paraphrase, ROUTE)).toEqual({
      outcome: 'unavailable',
      reason: 'Redis is down',
    });
    expect((await broken.lookUp(question, ROUTE)).outcome).toBe('hit');
  });

  test('asks no judge about a quarantined pair', async () => {
    await clean();
    const doubtful = asking('How do I handle two-factor authentication on a phone?');
    let calls = 0;
    const judging = cacheAt(
      qdrant.url,
      5_000,
      {
        ask: async ({ onText }) => {
          calls += 1;
          onText('SAME');
          return answer.usage;
        },
        estimate: async () => answer.usage,
        priceOf: () => 1,
      },
      complaints(),
    );
    await judging.store(question, answer);
    const limits = { ...ROUTE, judge: true };
    expect((await judging.lookUp(doubtful, limits, async () => true)).outcome).toBe('hit');
    await object(doubtful);
    expect((await judging.lookUp(doubtful, limits, async () => true)).outcome).toBe('miss');
    expect(calls).toBe(1);
  });
});
