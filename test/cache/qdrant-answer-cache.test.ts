import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { QdrantClient } from '@qdrant/js-client-rest';
import type { CachedAnswer, CacheQuestion } from '../../cache/answer-cache.ts';
import { cacheKey, pointId } from '../../cache/cache-key.ts';
import { createQdrantAnswerCache } from '../../cache/qdrant-answer-cache.ts';
import { findFreePort } from '../../services/ports.ts';
import { findQdrantExecutable, type RunningQdrant, startQdrant } from '../../services/provide-qdrant.ts';

const COLLECTION = 'unbroken-answers-v1';
const TIMEOUT_MS = 150;
/** What a busy machine may add to the limit before the test says that it was crossed. */
const SCHEDULING_MS = 350;

const folder = mkdtempSync(join(tmpdir(), 'unbroken-cache-'));
const lines: string[] = [];
const report = (line: string) => {
  lines.push(line);
};
let server: RunningQdrant;
let raw: QdrantClient;

beforeAll(async () => {
  const executable = await findQdrantExecutable(report);
  server = await startQdrant({ executable, dataDir: folder, port: await findFreePort(), report });
  raw = new QdrantClient({ url: server.url, checkCompatibility: false });
});
afterEach(() => raw.deleteCollection(COLLECTION));
afterAll(async () => {
  await server?.process.stop();
  rmSync(folder, { recursive: true, force: true });
});

// The promises are about what is found; only the tests of a stopped Qdrant are about the limit.
const patient = () => createQdrantAnswerCache({ url: server.url, timeoutMs: 5_000 });

const question: CacheQuestion = {
  tenant: 'acme',
  candidates: [{ provider: 'openai', model: 'gpt-4o-mini' }],
  input: {
    system: 'Be short.',
    messages: [{ role: 'user', content: 'Why is the sky blue?' }],
    maxOutputTokens: 100,
  },
};
const answer: Omit<CachedAnswer, 'similarity'> = {
  text: 'Rayleigh scattering. \u{1F30C}',
  provider: 'openai',
  model: 'gpt-4o-mini',
  finishReason: 'stop',
  usage: {
    ...{ inputTokens: 12, cachedInputTokens: 0, cacheWriteTokens: 0, outputTokens: 5, reasoningTokens: 0 },
    estimated: false,
  },
  storedAtMs: 1_795_000_000_000,
};

describe('a stored answer', () => {
  test('is found again, whole', async () => {
    const cache = patient();
    await cache.store(question, answer);
    expect(await cache.lookUp(question)).toEqual({ outcome: 'hit', answer: { ...answer, similarity: 1 } });
  });

  test.each<[string, CacheQuestion]>([
    ['tenant', { ...question, tenant: 'other' }],
    ['system prompt', { ...question, input: { ...question.input, system: 'Be long.' } }],
    ['model', { ...question, candidates: [{ provider: 'openai', model: 'gpt-4o' }] }],
  ])('is not given to another %s', async (_name, other) => {
    const cache = patient();
    await cache.store(question, answer);
    expect(await cache.lookUp(other)).toEqual({ outcome: 'miss' });
  });

  test('is asked for uncompressed: a compressed one waits 40 ms for an acknowledgement of its first part', async () => {
    let asked: string | undefined;
    const server = createServer((request, response) => {
      asked = String(request.headers['accept-encoding']);
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const cache = createQdrantAnswerCache({ url: `http://127.0.0.1:${port}`, timeoutMs: 5_000 });
    await cache.lookUp(question);
    server.close();
    server.closeAllConnections();
    expect(asked).toBe('identity');
  });

  test('is replaced when the question is stored again', async () => {
    const cache = patient();
    await cache.store(question, answer);
    await cache.store(question, { ...answer, text: 'Light.' });
    expect(await cache.lookUp(question)).toMatchObject({ outcome: 'hit', answer: { text: 'Light.' } });
    expect((await raw.count(COLLECTION, { exact: true })).count).toBe(1);
  });

  test('that was cut by length is refused', async () => {
    const cache = patient();
    await expect(cache.store(question, { ...answer, finishReason: 'length' })).rejects.toThrow(
      'whole answer',
    );
    expect(await cache.lookUp(question)).toEqual({ outcome: 'miss' });
  });

  test.each([
    ['tenant', { tenant: 'other' }],
    ['key', { key: 'another question with the same point id' }],
    ['shape', { usage: 'unknown' }],
  ])('whose payload has another %s is no hit', async (_name, change) => {
    const cache = patient();
    await cache.store(question, answer);
    await raw.setPayload(COLLECTION, { wait: true, points: [pointId(cacheKey(question))], payload: change });
    expect(await cache.lookUp(question)).toEqual({ outcome: 'miss' });
  });
});

describe('the collection', () => {
  test('is not made by a look-up: without it there is a miss', async () => {
    expect(await patient().lookUp(question)).toEqual({ outcome: 'miss' });
    expect((await raw.collectionExists(COLLECTION)).exists).toBe(false);
  });

  test('is made once by two caches that store at the same time, with the tenant as an index', async () => {
    await Promise.all([
      patient().store(question, answer),
      patient().store({ ...question, tenant: 'other' }, answer),
    ]);
    const { payload_schema: index, points_count: count } = await raw.getCollection(COLLECTION);
    expect(index['tenant']?.params).toMatchObject({ type: 'keyword', is_tenant: true });
    expect(count).toBe(2);
  });

  test('is made again by the second try after someone dropped it', async () => {
    const cache = patient();
    await cache.store(question, answer);
    await raw.deleteCollection(COLLECTION);
    await expect(cache.store(question, answer)).rejects.toThrow();
    await cache.store(question, answer);
    expect(await cache.lookUp(question)).toMatchObject({ outcome: 'hit' });
  });
});

describe('a Qdrant that does not answer', () => {
  test('costs a generation no more than the limit, and is used again when it is back', async () => {
    const cache = createQdrantAnswerCache({ url: server.url, timeoutMs: TIMEOUT_MS });
    await cache.store(question, answer);
    const pid = server.process.pid;
    process.kill(pid, 'SIGSTOP');
    try {
      for (let look = 0; look < 3; look += 1) {
        const begunAt = performance.now();
        const found = await cache.lookUp(question);
        expect(found).toEqual({ outcome: 'unavailable', reason: expect.stringContaining('150 ms') });
        expect(performance.now() - begunAt).toBeLessThan(TIMEOUT_MS + SCHEDULING_MS);
      }
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await patient().lookUp(question)).toMatchObject({ outcome: 'hit' });
    expect(await cache.lookUp(question)).toMatchObject({ outcome: 'hit' });
  });

  test('is told as unavailable to the one who looks, and thrown at the one who stores', async () => {
    const away = createQdrantAnswerCache({
      url: `http://127.0.0.1:${await findFreePort()}`,
      timeoutMs: 5_000,
    });
    expect(await away.lookUp(question)).toEqual({ outcome: 'unavailable', reason: expect.any(String) });
    await expect(away.store(question, answer)).rejects.toThrow();
  });
});
