/** Stored answers in Qdrant, found by exact match: the id of the point is a hash of the question. */
import { setTimeout as sleep } from 'node:timers/promises';
import { QdrantClient } from '@qdrant/js-client-rest';
import { z } from 'zod';
import { finishReasons } from '../contracts/generation.ts';
import { usageSchema } from '../contracts/usage-schema.ts';
import type { AnswerCache, CacheLookUp, CacheQuestion } from './answer-cache.ts';
import { cacheKey, pointId, questionKey } from './cache-key.ts';

const COLLECTION = 'unbroken-answers-v1';
const STORE_TIMEOUT_MS = 5_000;
/** Answers to one question that are looked at for the newest. */
const BEST_OF = 64;

const payloadSchema = z.object({
  tenant: z.string(),
  key: z.string(),
  text: z.string(),
  provider: z.string(),
  model: z.string(),
  finishReason: z.enum(finishReasons),
  usage: usageSchema,
  storedAtMs: z.number(),
});

export function createQdrantAnswerCache({
  url,
  apiKey,
  timeoutMs,
}: {
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** A look-up that takes longer is given up: the generation goes on without the cache. */
  readonly timeoutMs: number;
}): AnswerCache {
  const connect = (timeout: number) =>
    new QdrantClient({
      url,
      timeout,
      checkCompatibility: false,
      // A compressed response comes in pieces, of which Qdrant holds the last back until the first is acknowledged:
      // measured on one machine, a hit takes 43 ms with it and 2 ms without.
      headers: { 'accept-encoding': 'identity' },
      ...(apiKey === undefined ? {} : { apiKey }),
    });
  const client = connect(STORE_TIMEOUT_MS);
  // Its own client, so that a look-up that was given up also lets go of its connection.
  const lookUpClient = connect(timeoutMs);
  let collection: Promise<void> | null = null;
  const ensureCollection = () => {
    collection ??= createCollection(client).catch((error: unknown) => {
      collection = null;
      throw error;
    });
    return collection;
  };

  return {
    async lookUp(question) {
      const timer = new AbortController();
      const late = sleep(timeoutMs, null, { signal: timer.signal }).then(
        (): CacheLookUp => ({
          outcome: 'unavailable',
          reason: `Qdrant did not answer within ${timeoutMs} ms`,
        }),
      );
      const answer = find(lookUpClient, cacheKey(question), question.tenant).catch(toLookUp);
      const found = await Promise.race([answer, late]);
      timer.abort();
      late.catch(() => undefined);
      return found;
    },

    async lookUpBest(question) {
      try {
        return await findBest(client, question);
      } catch (error) {
        return toLookUp(error);
      }
    },

    async store(question, answer) {
      if (answer.finishReason !== 'stop') throw new Error('Only a whole answer may be stored.');
      await ensureCollection();
      const key = cacheKey(question);
      const payload = { ...answer, tenant: question.tenant, key, question: questionKey(question) };
      try {
        await client.upsert(COLLECTION, { wait: true, points: [{ id: pointId(key), vector: {}, payload }] });
      } catch (error) {
        // Someone dropped the collection: the caller's next attempt makes it again.
        if (statusOf(error) === 404) collection = null;
        throw error;
      }
    },
  };
}

async function find(client: QdrantClient, key: string, tenant: string): Promise<CacheLookUp> {
  const [point] = await client.retrieve(COLLECTION, { ids: [pointId(key)], with_payload: true });
  const payload = payloadSchema.safeParse(point?.payload);
  if (!payload.success || payload.data.key !== key || payload.data.tenant !== tenant)
    return { outcome: 'miss' };
  const { key: _key, tenant: _tenant, ...answer } = payload.data;
  return { outcome: 'hit', answer: { ...answer, similarity: 1 } };
}

/** The newest answer to the very same question, of whatever route and length. */
async function findBest(client: QdrantClient, question: CacheQuestion): Promise<CacheLookUp> {
  const match = (key: string, value: string) => ({ key, match: { value } });
  const { points } = await client.scroll(COLLECTION, {
    filter: { must: [match('tenant', question.tenant), match('question', questionKey(question))] },
    limit: BEST_OF,
    with_payload: true,
  });
  const stored = points.flatMap(({ payload }) => payloadSchema.safeParse(payload).data ?? []);
  const [newest] = stored.sort((a, b) => b.storedAtMs - a.storedAtMs);
  if (newest === undefined) return { outcome: 'miss' };
  const { key: _key, tenant: _tenant, ...answer } = newest;
  return { outcome: 'hit', answer: { ...answer, similarity: 1 } };
}

/** No collection yet: nothing was stored. Anything else: the cache is away. */
function toLookUp(error: unknown): CacheLookUp {
  if (statusOf(error) === 404) return { outcome: 'miss' };
  return { outcome: 'unavailable', reason: error instanceof Error ? error.message : 'Qdrant failed' };
}

async function createCollection(client: QdrantClient): Promise<void> {
  const { exists } = await client.collectionExists(COLLECTION);
  if (!exists) {
    await client.createCollection(COLLECTION, { vectors: {} }).catch(async (error: unknown) => {
      // Another worker may have made it between the two calls.
      if (!(await client.collectionExists(COLLECTION)).exists) throw error;
    });
  }
  await client.createPayloadIndex(COLLECTION, {
    field_name: 'tenant',
    field_schema: { type: 'keyword', is_tenant: true },
    wait: true,
  });
  await client.createPayloadIndex(COLLECTION, {
    field_name: 'question',
    field_schema: 'keyword',
    wait: true,
  });
}

function statusOf(error: unknown): unknown {
  return error instanceof Error && 'status' in error ? error.status : undefined;
}
