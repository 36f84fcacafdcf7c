import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { QdrantClient } from '@qdrant/js-client-rest';
import type { AnswerToStore, CacheQuestion, LookUpLimits } from '../../cache/answer-cache.ts';
import { cacheKey, pointId } from '../../cache/cache-key.ts';
import { type AskModel, createJudge } from '../../cache/judge.ts';
import { createLocalEmbedder } from '../../cache/local-embedder.ts';
import { collectionName, createQdrantAnswers } from '../../cache/qdrant-answers.ts';
import { createQdrantDeletion } from '../../cache/qdrant-deletion.ts';
import { createSemanticAnswerCache } from '../../cache/semantic-answer-cache.ts';
import { createVerifier } from '../../cache/verifier/verify.ts';
import { NO_USAGE } from '../../contracts/money.ts';
import { findFreePort } from '../../services/ports.ts';
import { findQdrantExecutable, type RunningQdrant, startQdrant } from '../../services/provide-qdrant.ts';
import { waitFor } from '../harness/wait-for.ts';

const TIMEOUT_MS = 150;
/** What a busy machine may add to the limit before the test says that it was crossed. */
const SCHEDULING_MS = 350;
const DAY_MS = 24 * 3_600_000;

const folder = mkdtempSync(join(tmpdir(), 'unbroken-cache-'));
const lines: string[] = [];
const report = (line: string) => {
  lines.push(line);
};
// The promises here are not about how busy the machine is.
const embedder = { ...createLocalEmbedder(), timeoutMs: 10_000 };
const COLLECTION = collectionName(embedder.name);
const verify = createVerifier();
const answersOf = (url: string, timeoutMs: number) => createQdrantAnswers({ url, embedder, timeoutMs });
const cacheAt = (url: string, timeoutMs: number, ask?: AskModel) =>
  createSemanticAnswerCache({
    ...{ answers: answersOf(url, timeoutMs), embedder, verify, timeoutMs },
    judge: ask === undefined ? null : createJudge({ provider: 'p', model: 'small', timeoutMs: 1_000, ask }),
  });
let server: RunningQdrant;
let raw: QdrantClient;

beforeAll(async () => {
  const executable = await findQdrantExecutable(report);
  server = await startQdrant({ executable, dataDir: folder, port: await findFreePort(), report });
  raw = new QdrantClient({ url: server.url, checkCompatibility: false });
});
afterEach(() => raw.deleteCollection(COLLECTION));
afterAll(async () => {
  await embedder.close();
  await server?.process.stop();
  rmSync(folder, { recursive: true, force: true });
});

// Only the tests of a stopped Qdrant are about the limit.
const patient = (ask?: AskModel) => cacheAt(server.url, 5_000, ask);
const LIMITS: LookUpLimits = { threshold: 0.5, maxAgeMs: null, judge: false };

const question: CacheQuestion = {
  tenant: 'acme',
  candidates: [
    { provider: 'openai', model: 'gpt-4o-mini' },
    { provider: 'anthropic', model: 'claude-haiku' },
  ],
  input: {
    system: 'Be short.',
    messages: [{ role: 'user', content: 'How do I enable two-factor authentication?' }],
    maxOutputTokens: 100,
  },
};
const asking = (content: string): CacheQuestion => ({
  ...question,
  input: { ...question.input, messages: [{ role: 'user', content }] },
});
const paraphrase = asking('How can I turn on 2FA?');
const answer: AnswerToStore = {
  text: 'Open the settings. \u{1F512}',
  provider: 'openai',
  model: 'gpt-4o-mini',
  finishReason: 'stop',
  usage: { ...NO_USAGE, inputTokens: 12, outputTokens: 5 },
  storedAtMs: Date.now(),
  user: 'ann',
  ttlMs: DAY_MS,
};
const { ttlMs: _ttlMs, user: _user, ...given } = answer;
const entryId = pointId(cacheKey(question));

describe('a stored answer', () => {
  test('is found again, whole, by the same words', async () => {
    const cache = patient();
    await cache.store(question, answer);
    expect(await cache.lookUp(question, LIMITS)).toEqual({
      outcome: 'hit',
      answer: { ...given, entryId, similarity: 1 },
    });
  });

  test('is found by other words that ask the same, and says how near they are', async () => {
    const cache = patient();
    await cache.store(question, answer);
    const found = await cache.lookUp(paraphrase, LIMITS);
    expect(found).toMatchObject({ outcome: 'hit', answer: { ...given, entryId } });
    const similarity = found.outcome === 'hit' ? found.answer.similarity : 0;
    expect(similarity).toBeGreaterThan(LIMITS.threshold);
    expect(similarity).toBeLessThan(1);
  });

  test.each([
    'How do I disable two-factor authentication?',
    'Why should I enable two-factor authentication?',
    'How do I enable two-factor authentication for another user?',
  ])('is not given to: %s', async (other) => {
    const cache = patient();
    await cache.store(question, answer);
    expect(await cache.lookUp(asking(other), LIMITS)).toEqual({ outcome: 'miss' });
  });

  test.each<[string, CacheQuestion]>([
    ['tenant', { ...paraphrase, tenant: 'other' }],
    ['system prompt', { ...paraphrase, input: { ...paraphrase.input, system: 'Be long.' } }],
    ['model', { ...paraphrase, candidates: [{ provider: 'openai', model: 'gpt-4o' }] }],
    [
      'set of tools',
      { ...paraphrase, input: { ...paraphrase.input, tools: [{ name: 'f', parameters: {} }] } },
    ],
    [
      'form of the answer',
      {
        ...paraphrase,
        input: { ...paraphrase.input, output: { name: 'answer', schema: { type: 'object' } } },
      },
    ],
    ['temperature', { ...paraphrase, input: { ...paraphrase.input, temperature: 1 } }],
  ])('is not given to another %s', async (_name, other) => {
    const cache = patient();
    await cache.store(question, answer);
    expect(await cache.lookUp(other, LIMITS)).toEqual({ outcome: 'miss' });
    expect(await cache.lookUp(paraphrase, LIMITS)).toMatchObject({ outcome: 'hit' });
  });

  test('in a conversation counts with all that was said before', async () => {
    const talk = (first: string, reply: string, last: string): CacheQuestion => ({
      ...question,
      input: {
        ...question.input,
        messages: [
          { role: 'user', content: first },
          { role: 'assistant', content: reply },
          { role: 'user', content: last },
        ],
      },
    });
    const cache = patient();
    await cache.store(talk('What is the capital of Peru?', 'Lima.', 'How many people live there?'), answer);
    const hit = talk("What's the capital of Peru?", 'Lima.', 'How many people live there?');
    expect(await cache.lookUp(hit, LIMITS)).toMatchObject({ outcome: 'hit' });
    for (const other of [
      talk('What is the capital of Chile?', 'Lima.', 'How many people live there?'),
      talk('What is the capital of Peru?', 'It is Lima.', 'How many people live there?'),
      asking('How many people live there?'),
    ]) {
      expect(await cache.lookUp(other, LIMITS)).toEqual({ outcome: 'miss' });
    }
  });

  test('is given for as long as its route and the request let it be', async () => {
    const cache = patient();
    const hourOld = { ...answer, storedAtMs: Date.now() - 3_600_000 };
    await cache.store(question, hourOld);
    for (const asked of [question, paraphrase]) {
      expect(await cache.lookUp(asked, { ...LIMITS, maxAgeMs: 2 * 3_600_000 })).toMatchObject({
        outcome: 'hit',
      });
      expect(await cache.lookUp(asked, { ...LIMITS, maxAgeMs: 60_000 })).toEqual({ outcome: 'miss' });
    }
    await cache.store(question, { ...hourOld, ttlMs: 60_000 });
    for (const asked of [question, paraphrase]) {
      expect(await cache.lookUp(asked, LIMITS)).toEqual({ outcome: 'miss' });
    }
  });

  test('fits any output cap that it stays below, and no lower one', async () => {
    const cache = patient();
    await cache.store(question, answer);
    const capped = (maxOutputTokens: number) => ({
      ...question,
      input: { ...question.input, maxOutputTokens },
    });
    expect(await cache.lookUp(capped(5), LIMITS)).toMatchObject({ outcome: 'hit' });
    expect(await cache.lookUp(capped(4), LIMITS)).toEqual({ outcome: 'miss' });
  });

  test('below the threshold of the route is not looked at', async () => {
    const cache = patient();
    await cache.store(question, answer);
    expect(await cache.lookUp(paraphrase, { ...LIMITS, threshold: 0.999 })).toEqual({ outcome: 'miss' });
  });

  test('is asked for uncompressed: a compressed one waits 40 ms for an acknowledgement of its first part', async () => {
    let asked: string | undefined;
    const stub = createServer((request, response) => {
      asked = String(request.headers['accept-encoding']);
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    }).listen(0, '127.0.0.1');
    await once(stub, 'listening');
    const address = stub.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await cacheAt(`http://127.0.0.1:${port}`, 5_000).lookUp(question, LIMITS);
    stub.close();
    stub.closeAllConnections();
    expect(asked).toBe('identity');
  });

  test('is replaced when the question is stored again', async () => {
    const cache = patient();
    await cache.store(question, answer);
    await cache.store(question, { ...answer, text: 'Light.' });
    expect(await cache.lookUp(question, LIMITS)).toMatchObject({
      outcome: 'hit',
      answer: { text: 'Light.' },
    });
    expect((await raw.count(COLLECTION, { exact: true })).count).toBe(1);
  });

  test('is replaced by a fresh one to other words, with all that such a look-up would have taken', async () => {
    const cache = patient();
    await cache.store(question, answer);
    const near = asking('How do I disable two-factor authentication?');
    await cache.store(near, { ...answer, text: 'Do not.' });
    await cache.replace(paraphrase, { ...answer, text: 'Fresh.' }, LIMITS);
    expect(await cache.lookUp(question, LIMITS)).toMatchObject({
      outcome: 'hit',
      answer: { text: 'Fresh.' },
    });
    expect(await cache.lookUp(near, LIMITS)).toMatchObject({ outcome: 'hit', answer: { text: 'Do not.' } });
    expect((await raw.count(COLLECTION, { exact: true })).count).toBe(2);
  });

  test('that was cut by length is refused', async () => {
    const cache = patient();
    await expect(cache.store(question, { ...answer, finishReason: 'length' })).rejects.toThrow(
      'whole answer',
    );
    expect(await cache.lookUp(question, LIMITS)).toEqual({ outcome: 'miss' });
  });

  test.each([
    ['tenant', { tenant: 'other' }],
    ['partition', { partition: 'other' }],
    ['key', { key: 'another question with the same point id' }],
    ['shape', { usage: 'unknown' }],
  ])('whose payload has another %s is no hit', async (_name, change) => {
    const cache = patient();
    await cache.store(question, answer);
    await raw.setPayload(COLLECTION, { wait: true, points: [entryId], payload: change });
    const found = await cache.lookUp(question, LIMITS);
    // A wrong key alone leaves the words, which the verifier reads again.
    if (!('key' in change)) expect(found).toEqual({ outcome: 'miss' });
    else expect(found).toMatchObject({ outcome: 'hit', answer: { similarity: expect.closeTo(1, 3) } });
  });

  test('of a text that is too long to compare is found by the same words only', async () => {
    const cache = patient();
    const long = asking(`Summarize: ${'The river carries light over stone. '.repeat(200)}`);
    await cache.store(long, answer);
    expect(await cache.lookUp(long, LIMITS)).toMatchObject({ outcome: 'hit', answer: { similarity: 1 } });
    const [point] = await raw.retrieve(COLLECTION, { ids: [pointId(cacheKey(long))], with_vector: true });
    expect(point?.vector ?? {}).toEqual({});
  });
});

describe('a judge', () => {
  const doubtful = asking('How do I handle two-factor authentication?');
  const says = (text: string): AskModel => {
    const usage = { ...NO_USAGE, inputTokens: 90, outputTokens: 1 };
    return async () => ({ text, usage, costMicroUsd: 7 });
  };
  const judging = { ...LIMITS, judge: true };

  test('decides where the verifier is unsure, and its cost is told either way', async () => {
    await patient().store(question, answer);
    const judgement = { provider: 'p', model: 'small', costMicroUsd: 7 };
    expect(await patient(says('SAME')).lookUp(doubtful, judging)).toMatchObject({
      outcome: 'hit',
      judgement: { ...judgement, same: true },
    });
    expect(await patient(says('DIFFERENT')).lookUp(doubtful, judging)).toMatchObject({
      outcome: 'miss',
      judgement: { ...judgement, same: false },
    });
  });

  test('is not asked about what is surely different, nor where its route has none', async () => {
    let calls = 0;
    const counting: AskModel = async (call) => {
      calls += 1;
      return says('SAME')(call);
    };
    await patient().store(question, answer);
    const opposite = asking('How do I disable two-factor authentication?');
    expect(await patient(counting).lookUp(opposite, judging)).toEqual({ outcome: 'miss' });
    expect(await patient(counting).lookUp(doubtful, LIMITS)).toEqual({ outcome: 'miss' });
    expect(calls).toBe(0);
  });

  test('that fails leaves a miss', async () => {
    await patient().store(question, answer);
    const failing: AskModel = async () => {
      throw new Error('overloaded');
    };
    expect(await patient(failing).lookUp(doubtful, judging)).toEqual({ outcome: 'miss' });
  });
});

describe('deletion', () => {
  test('takes the entries of one user, of one id or of a tenant, and nothing of any other tenant', async () => {
    const cache = patient();
    const answers = createQdrantDeletion({ url: server.url });
    const other = asking('What is an invoice?');
    await cache.store(question, answer);
    await cache.store(other, { ...answer, user: 'bob' });
    await cache.store({ ...question, tenant: 'globex' }, answer);
    expect(await answers.delete({ tenant: 'acme', user: 'carl' })).toBe(0);
    expect(await answers.delete({ tenant: 'globex', entryId })).toBe(0);
    expect(await answers.delete({ tenant: 'acme', user: 'bob' })).toBe(1);
    expect(await cache.lookUp(other, LIMITS)).toEqual({ outcome: 'miss' });
    expect(await cache.lookUp(paraphrase, LIMITS)).toMatchObject({ outcome: 'hit' });
    expect(await answers.delete({ tenant: 'acme', entryId })).toBe(1);
    expect(await cache.lookUp(paraphrase, LIMITS)).toEqual({ outcome: 'miss' });
    expect(await answers.delete({ tenant: 'globex' })).toBe(1);
    expect((await raw.count(COLLECTION, { exact: true })).count).toBe(0);
  });

  test('of expired entries takes those and no other', async () => {
    const cache = patient();
    const answers = answersOf(server.url, 5_000);
    await cache.store(question, answer);
    await cache.store(asking('What is an invoice?'), { ...answer, storedAtMs: 1_000, ttlMs: 1 });
    await answers.deleteExpired(Date.now());
    await waitFor(
      'the expired entry is gone',
      async () => (await raw.count(COLLECTION, { exact: true })).count === 1,
    );
    expect(await cache.lookUp(question, LIMITS)).toMatchObject({ outcome: 'hit' });
  });
});

describe('the collection', () => {
  test('is not made by a look-up: without it there is a miss, and nothing to delete', async () => {
    expect(await patient().lookUp(question, LIMITS)).toEqual({ outcome: 'miss' });
    expect(await createQdrantDeletion({ url: server.url }).delete({ tenant: 'acme' })).toBe(0);
    expect((await raw.collectionExists(COLLECTION)).exists).toBe(false);
  });

  test('is made once by two caches that store at the same time, its graph built within partitions', async () => {
    await Promise.all([
      patient().store(question, answer),
      patient().store({ ...question, tenant: 'other' }, answer),
    ]);
    const { payload_schema: index, points_count: count, config } = await raw.getCollection(COLLECTION);
    expect(index['tenant']?.params).toMatchObject({ type: 'keyword', is_tenant: true });
    expect(index['partition']?.data_type).toBe('keyword');
    expect(config.hnsw_config).toMatchObject({ m: 0, payload_m: 16 });
    expect(count).toBe(2);
  });

  test('is made again by the second try after someone dropped it', async () => {
    const cache = patient();
    await cache.store(question, answer);
    await raw.deleteCollection(COLLECTION);
    await expect(cache.store(question, answer)).rejects.toThrow();
    await cache.store(question, answer);
    expect(await cache.lookUp(question, LIMITS)).toMatchObject({ outcome: 'hit' });
  });
});

describe('a Qdrant that does not answer', () => {
  test('costs a generation no more than the limit, and is used again when it is back', async () => {
    const cache = cacheAt(server.url, TIMEOUT_MS);
    await cache.store(question, answer);
    const pid = server.process.pid;
    process.kill(pid, 'SIGSTOP');
    try {
      for (let look = 0; look < 3; look += 1) {
        const begunAt = performance.now();
        const found = await cache.lookUp(question, LIMITS);
        expect(found).toEqual({ outcome: 'unavailable', reason: expect.stringContaining('150 ms') });
        expect(performance.now() - begunAt).toBeLessThan(TIMEOUT_MS + SCHEDULING_MS);
      }
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await patient().lookUp(question, LIMITS)).toMatchObject({ outcome: 'hit' });
    expect(await cache.lookUp(question, LIMITS)).toMatchObject({ outcome: 'hit' });
  });

  test('is told as unavailable to the one who looks, and thrown at the one who stores', async () => {
    const away = cacheAt(`http://127.0.0.1:${await findFreePort()}`, 5_000);
    expect(await away.lookUp(question, LIMITS)).toEqual({
      outcome: 'unavailable',
      reason: expect.any(String),
    });
    await expect(away.store(question, answer)).rejects.toThrow();
  });
});
