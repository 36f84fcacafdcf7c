/**
 * Stored answers as points of one Qdrant collection. A point is found by its id, which is a hash of the question, or
 * by its vector, within its partition. The graph of neighbours is built for each partition by itself (`m: 0`,
 * `payload_m`), so that a search never passes through another tenant's points.
 */
import { QdrantClient } from '@qdrant/js-client-rest';
import { z } from 'zod';
import { finishReasons, usageSchema } from '../../contracts/generation.ts';

const VECTOR = 'question';
const SLOW_CALL_MS = 5_000;
const NEIGHBOURS = 16;
/** Answers to one question that are looked at for the newest. */
const BEST_OF = 64;
/** A place is filled by the next two calls, or never. */
const PLACE_MS = 60_000;

const payloadSchema = z.object({
  tenant: z.string(),
  user: z.string(),
  partition: z.string(),
  key: z.string(),
  /** What was asked, whoever of a route answers it. */
  question: z.string(),
  /** What the verifier needs to be equal, so that it can be filtered by. */
  signature: z.string(),
  questions: z.array(z.string()),
  text: z.string(),
  provider: z.string(),
  model: z.string(),
  finishReason: z.enum(finishReasons),
  usage: usageSchema,
  storedAtMs: z.number(),
  expiresAtMs: z.number(),
  /** Absent in what older code stored. */
  generation: z.string().optional(),
});
export type StoredAnswer = z.infer<typeof payloadSchema>;

type PlaceOwner = Pick<StoredAnswer, 'tenant' | 'user' | 'generation'>;

const candidateSchema = payloadSchema.pick({ tenant: true, partition: true, questions: true });

export interface Neighbour {
  readonly id: string;
  readonly similarity: number;
  readonly questions: readonly string[];
}

/** Whose answers, and how old they may be. */
export interface Scope {
  readonly tenant: string;
  readonly partition: string;
  readonly signature: string;
  readonly storedAfterMs: number;
  readonly nowMs: number;
}

/** A point that waits for the text of one attempt to store it. */
export interface Place {
  readonly id: string;
  /** No two attempts have the same. */
  readonly attempt: string;
}

export interface QdrantAnswers {
  get(id: string): Promise<StoredAnswer | null>;
  /** The newest answer to the very same question, of whatever route, age and length. */
  newest(
    tenant: string,
    question: string,
  ): Promise<{ readonly id: string; readonly stored: StoredAnswer } | null>;
  /** Whether the partition has any answer that could be near. */
  hasAny(scope: Scope): Promise<boolean>;
  /** The nearest questions, the most similar first. */
  near(scope: Scope, vector: readonly number[], threshold: number, limit: number): Promise<Neighbour[]>;
  /**
   * The first of the two writes that store an answer: a point that says whose answer is to come, and nothing of what was
   * asked or answered. No look-up finds it, a deletion takes it like any other, and it expires soon.
   */
  makePlace(id: string, owner: PlaceOwner, vector: readonly number[] | null): Promise<Place>;
  /** The second: it puts the text into the place, and never makes one. So one that comes after a deletion does nothing. */
  fill(place: Place, answer: StoredAnswer): Promise<void>;
  /** Removes what stands in this place, unless another attempt has made it its own. */
  removePlace(place: Place): Promise<void>;
  remove(ids: readonly string[]): Promise<void>;
  deleteExpired(nowMs: number): Promise<void>;
}

export interface QdrantAnswersSettings {
  readonly url: string;
  readonly apiKey?: string | undefined;
  readonly embedder: { readonly name: string; readonly dimensions: number };
  /** A look-up that takes longer lets go of its connection. */
  readonly timeoutMs: number;
}

export const COLLECTION_PREFIX = 'unbroken-answers-';

/** Vectors of two embedders cannot be compared, so each has its collection. */
export function collectionName(embedder: string): string {
  return `${COLLECTION_PREFIX}v2-${embedder}`;
}

export function createQdrantAnswers({
  url,
  apiKey,
  embedder,
  timeoutMs,
}: QdrantAnswersSettings): QdrantAnswers {
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
  const collection = collectionName(embedder.name);
  const client = connect(SLOW_CALL_MS);
  // Later than the limit itself, which is told in better words.
  const quick = connect(timeoutMs + 50);
  let made: Promise<void> | null = null;
  const ensureCollection = () => {
    made ??= createCollection(client, collection, embedder.dimensions).catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
  const noticeDrop = (error: unknown): never => {
    // Someone dropped the collection: the caller's next attempt makes it again.
    if (statusOf(error) === 404) made = null;
    throw error;
  };

  return {
    async get(id) {
      const points = await orNone(quick.retrieve(collection, { ids: [id], with_payload: true }), []);
      const payload = payloadSchema.safeParse(points[0]?.payload);
      return payload.success ? payload.data : null;
    },

    async newest(tenant, question) {
      const found = client.scroll(collection, {
        filter: { must: [match('tenant', tenant), match('question', question)] },
        limit: BEST_OF,
        with_payload: true,
      });
      const { points } = await orNone(found, { points: [] });
      const answers = points.flatMap(({ id, payload }) => {
        const stored = payloadSchema.safeParse(payload).data;
        return stored === undefined ? [] : [{ id: String(id), stored }];
      });
      return answers.sort((a, b) => b.stored.storedAtMs - a.stored.storedAtMs)[0] ?? null;
    },

    async hasAny(scope) {
      const found = quick.scroll(collection, {
        filter: { must: mustBe(scope), must_not: [] },
        limit: 1,
        with_payload: false,
        with_vector: false,
      });
      return (await orNone(found, { points: [] })).points.length > 0;
    },

    async near(scope, vector, threshold, limit) {
      const found = quick.query(collection, {
        query: [...vector],
        using: VECTOR,
        filter: { must: mustBe(scope) },
        limit,
        score_threshold: threshold,
        with_payload: ['tenant', 'partition', 'questions'],
      });
      return (await orNone(found, { points: [] })).points.flatMap(({ id, score, payload }) => {
        const read = candidateSchema.safeParse(payload);
        // The filter has said it; what is at stake is too much to say it once.
        const isOurs =
          read.success && read.data.tenant === scope.tenant && read.data.partition === scope.partition;
        return isOurs
          ? [{ id: String(id), similarity: Math.min(1, score), questions: read.data.questions }]
          : [];
      });
    },

    async makePlace(id, { tenant, user, generation }, vector) {
      await ensureCollection();
      const attempt = crypto.randomUUID();
      const payload = { tenant, user, generation, attempt, expiresAtMs: Date.now() + PLACE_MS };
      const points = [{ id, vector: vector === null ? {} : { [VECTOR]: [...vector] }, payload }];
      await client.upsert(collection, { wait: true, points }).catch(noticeDrop);
      return { id, attempt };
    },

    async fill(place, answer) {
      const filled = client.setPayload(collection, {
        wait: true,
        payload: { ...answer },
        filter: of(place),
      });
      await filled.catch(noticeDrop);
    },

    async removePlace(place) {
      await client.delete(collection, { wait: true, filter: of(place) });
    },

    async remove(ids) {
      if (ids.length > 0) await client.delete(collection, { wait: true, points: [...ids] });
    },

    async deleteExpired(nowMs) {
      const filter = { must: [{ key: 'expiresAtMs', range: { lt: nowMs } }] };
      await client.delete(collection, { wait: false, filter });
    },
  };
}

function match(key: string, value: string) {
  return { key, match: { value } };
}

function of({ id, attempt }: Place) {
  return { must: [{ has_id: [id] }, match('attempt', attempt)] };
}

function mustBe({ tenant, partition, signature, storedAfterMs, nowMs }: Scope) {
  return [
    match('tenant', tenant),
    match('partition', partition),
    match('signature', signature),
    { key: 'expiresAtMs', range: { gt: nowMs } },
    { key: 'storedAtMs', range: { gte: storedAfterMs } },
  ];
}

/** No collection yet: nothing was stored. */
async function orNone<Value>(found: Promise<Value>, none: Value): Promise<Value> {
  try {
    return await found;
  } catch (error) {
    if (statusOf(error) === 404) return none;
    throw error;
  }
}

async function createCollection(client: QdrantClient, name: string, size: number): Promise<void> {
  const { exists } = await client.collectionExists(name);
  if (!exists) {
    const made = client.createCollection(name, {
      vectors: { [VECTOR]: { size, distance: 'Cosine' } },
      hnsw_config: { m: 0, payload_m: NEIGHBOURS },
    });
    await made.catch(async (error: unknown) => {
      // Another worker may have made it between the two calls.
      if (!(await client.collectionExists(name)).exists) throw error;
    });
  }
  type Schema = 'keyword' | 'integer' | { type: 'keyword'; is_tenant: true };
  const index = (field_name: string, field_schema: Schema) =>
    client.createPayloadIndex(name, { field_name, field_schema, wait: true });
  await index('tenant', { type: 'keyword', is_tenant: true });
  await index('partition', 'keyword');
  await index('signature', 'keyword');
  await index('question', 'keyword');
  await index('user', 'keyword');
  await index('generation', 'keyword');
  await index('expiresAtMs', 'integer');
  await index('storedAtMs', 'integer');
}

function statusOf(error: unknown): unknown {
  return error instanceof Error && 'status' in error ? error.status : undefined;
}
