import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { collectionName, QdrantAnswers } from '../../../engine/cache/qdrant-answers.ts';
import { createQdrantDeletion } from '../../../engine/cache/qdrant-deletion.ts';
import { createQdrantEntries } from '../../../engine/cache/qdrant-entries.ts';
import { createQdrantErasure } from '../../../engine/cache/qdrant-erasure.ts';
import { findFreePort } from '../../../tools/services/ports.ts';
import { PATIENT_MS } from '../../harness/patience.ts';
import { waitFor } from '../../harness/wait-for.ts';
import {
  answer,
  answersAt,
  asking,
  COLLECTION,
  cacheAt,
  entryId,
  LIMITS,
  paraphrase,
  question,
  startTestQdrant,
  type TestQdrant,
} from './cache-fixture.ts';

const TIMEOUT_MS = 150;

let server: TestQdrant;
beforeAll(async () => {
  server = await startTestQdrant();
});
afterEach(() => server.raw.deleteCollection(COLLECTION));
afterAll(() => server?.stop());

// Only the tests of a stopped Qdrant are about the limit.
const patient = () => cacheAt(server.url, 5_000);

describe('deletion', () => {
  test('takes the entries of one user, of one id or of a tenant, and nothing of any other tenant', async () => {
    const cache = patient();
    const answers = createQdrantDeletion({ url: server.url, deleteMs: PATIENT_MS });
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
    expect((await server.raw.count(COLLECTION, { exact: true })).count).toBe(0);
  });

  test('passes over a collection that was dropped since it listed them', async () => {
    await patient().store(question, answer);
    // Qdrant, whose collection is dropped while the list of them is on its way.
    const late = createServer(async (request, response) => {
      const { method = '', url = '' } = request;
      const sent = await text(request);
      const headers = { 'content-type': 'application/json' };
      const answered = await fetch(`${server.url}${url}`, {
        method,
        headers,
        body: sent === '' ? null : sent,
      });
      const body = await answered.text();
      if (url === '/collections') await server.raw.deleteCollection(COLLECTION);
      response.writeHead(answered.status, { 'content-type': 'application/json' }).end(body);
    });
    await new Promise<void>((resolve) => late.listen(0, '127.0.0.1', resolve));
    const { port } = late.address() as AddressInfo;
    const answers = createQdrantDeletion({ url: `http://127.0.0.1:${port}`, deleteMs: PATIENT_MS });
    expect(await answers.delete({ tenant: 'acme' })).toBe(0);
    expect((await server.raw.collectionExists(COLLECTION)).exists).toBe(false);
    late.close();
    late.closeAllConnections();
  });

  test('of expired entries takes those and no other', async () => {
    const cache = patient();
    const answers = answersAt(server.url, 5_000);
    await cache.store(question, answer);
    await cache.store(asking('What is an invoice?'), { ...answer, storedAtMs: 1_000, ttlMs: 1 });
    await answers.deleteExpired(Date.now());
    await waitFor(
      'the expired entry is gone',
      async () => (await server.raw.count(COLLECTION, { exact: true })).count === 1,
    );
    expect(await cache.lookUp(question, LIMITS)).toMatchObject({ outcome: 'hit' });
  });

  test('of expired entries takes those of an embedder that is no longer configured', async () => {
    const earlier = { name: 'of-an-earlier-release', dimensions: 2 };
    const before = new QdrantAnswers({ url: server.url, embedder: earlier, timeoutMs: 5_000 });
    const owner = { tenant: 'acme', user: 'ann', generation: 'gen_1' };
    await before.makePlace(entryId, owner, [1, 0]);
    await answersAt(server.url, 5_000).deleteExpired(Date.now() + 3_600_000);
    await waitFor(
      'the expired entry is gone',
      async () => (await server.raw.count(collectionName(earlier.name), { exact: true })).count === 0,
    );
    await server.raw.deleteCollection(collectionName(earlier.name));
  });
});

describe('the collection', () => {
  test('is not made by a look-up: without it there is a miss, and nothing to delete', async () => {
    expect(await patient().lookUp(question, LIMITS)).toEqual({ outcome: 'miss' });
    expect(
      await createQdrantDeletion({ url: server.url, deleteMs: PATIENT_MS }).delete({ tenant: 'acme' }),
    ).toBe(0);
    expect((await server.raw.collectionExists(COLLECTION)).exists).toBe(false);
  });

  test('is made once by two caches that store at the same time, its graph built within partitions', async () => {
    await Promise.all([
      patient().store(question, answer),
      patient().store({ ...question, tenant: 'other' }, answer),
    ]);
    const { payload_schema: index, points_count: count, config } = await server.raw.getCollection(COLLECTION);
    expect(index['tenant']?.params).toMatchObject({ type: 'keyword', is_tenant: true });
    expect(index['partition']?.data_type).toBe('keyword');
    expect(config.hnsw_config).toMatchObject({ m: 0, payload_m: 16 });
    // A byte per number in memory, and the floats on the disk.
    expect(config.quantization_config).toMatchObject({ scalar: { type: 'int8', always_ram: true } });
    expect(config.params.vectors).toMatchObject({ question: { on_disk: true } });
    expect(count).toBe(2);
  });

  test('is made again by the second try after someone dropped it', async () => {
    const cache = patient();
    await cache.store(question, answer);
    await server.raw.deleteCollection(COLLECTION);
    await expect(cache.store(question, answer)).rejects.toThrow();
    await cache.store(question, answer);
    expect(await cache.lookUp(question, LIMITS)).toMatchObject({ outcome: 'hit' });
  });

  test('has an index for each field of a filter, without which a Qdrant in strict mode refuses it', async () => {
    const cache = patient();
    const invoice = asking('What is an invoice?');
    await cache.store(invoice, answer);
    await server.raw.updateCollection(COLLECTION, {
      strict_mode_config: {
        enabled: true,
        unindexed_filtering_retrieve: false,
        unindexed_filtering_update: false,
      },
    });
    expect(await cache.store(question, answer)).toBe(true);
    expect(await cache.lookUp(paraphrase, LIMITS)).toMatchObject({ outcome: 'hit' });
    expect(await cache.lookUpBest(question, 0.01)).toMatchObject({ outcome: 'hit' });
    const mayNotStore = async () => false;
    expect(await cache.store(invoice, { ...answer, mayStore: mayNotStore })).toBe(false);
    const entries = createQdrantEntries({ url: server.url });
    const { provider, model, user } = answer;
    const search = { tenant: 'acme', user, model: { provider, model }, limit: 5 };
    expect((await entries.list(search, undefined)).data).toHaveLength(1);
    expect(await entries.searchText(search, '2FA')).toBeDefined();
    expect(await entries.searchLike(search, entryId)).toBeDefined();
    await answersAt(server.url, 5_000).deleteExpired(Date.now());
    const deletion = createQdrantDeletion({ url: server.url, deleteMs: PATIENT_MS });
    expect(await deletion.delete({ tenant: 'acme', user: 'carl', storedUntilMs: Date.now() })).toBe(0);
    expect(await deletion.delete({ tenant: 'acme', generationId: 'gen_none' })).toBe(0);
    const erasure = createQdrantErasure({ url: server.url });
    const all = { tenant: 'acme', user, untilMs: Date.now() };
    expect(await erasure.erase(all, async () => undefined)).toBe(1);
  });
});

describe('a Qdrant that does not answer', () => {
  test('costs a generation no more than the limit, and is used again when it is back', async () => {
    const cache = cacheAt(server.url, TIMEOUT_MS);
    await cache.store(question, answer);
    const { pid } = server;
    process.kill(pid, 'SIGSTOP');
    try {
      // The signal is on its way for a moment.
      await waitFor(
        'it to stand still',
        async () => (await cache.lookUp(question, LIMITS)).outcome !== 'hit',
      );
      for (let look = 0; look < 3; look += 1) {
        const found = await cache.lookUp(question, LIMITS);
        expect(found).toEqual({ outcome: 'unavailable', reason: expect.stringContaining('150 ms') });
      }
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await patient().lookUp(question, LIMITS)).toMatchObject({ outcome: 'hit' });
    expect(await cache.lookUp(question, LIMITS)).toMatchObject({ outcome: 'hit' });
  });

  test('is unavailable for a look-up, and an error for a store', async () => {
    const away = cacheAt(`http://127.0.0.1:${await findFreePort()}`, 5_000);
    expect(await away.lookUp(question, LIMITS)).toEqual({
      outcome: 'unavailable',
      reason: expect.any(String),
    });
    await expect(away.store(question, answer)).rejects.toThrow();
  });
});
