/**
 * Stored answers as points of one Qdrant collection. A point is found by its id, which is a hash of the question, or by
 * its vector, within its partition. Each partition has its own graph of neighbours (`m: 0`, `payload_m`), so a search
 * never passes through another tenant's points.
 */
import type { QdrantClient } from '@qdrant/js-client-rest';
import { z } from 'zod';
import { finishReasons, usageSchema } from '../../contracts/generation.ts';
import { connectQdrant, type QdrantPlace } from './connect-qdrant.ts';

export const VECTOR = 'question';
const SLOW_CALL_MS = 5_000;
const NEIGHBOURS = 16;
/** Of each vector one byte per number is in memory, and the floats are on the disk: they order what was found. */
const QUANTIZATION = { scalar: { type: 'int8', quantile: 0.99, always_ram: true } } as const;
const SEARCH = { quantization: { rescore: true, oversampling: 2 } };
/** Answers to one question of which the newest is chosen. */
const BEST_OF = 64;
/**
 * Of a cluster's copies of a point, each takes the writes of several clients in the same order. Without it, two workers
 * that store the same question could leave different answers in two copies, and a deletion might see only one of them.
 */
export const ORDERING = 'medium';
/** The next two calls fill a place, or none does. */
const PLACE_MS = 60_000;

export const storedAnswerSchema = z.object({
  tenant: z.string(),
  user: z.string(),
  partition: z.string(),
  key: z.string(),
  /** Hash of the question, without the models of the route. */
  question: z.string(),
  /** What the verifier requires to be equal; a filter of the search. */
  signature: z.string(),
  questions: z.array(z.string()),
  text: z.string(),
  provider: z.string(),
  model: z.string(),
  finishReason: z.enum(finishReasons),
  stopSequence: z.string().optional(),
  usage: usageSchema,
  storedAtMs: z.number(),
  expiresAtMs: z.number(),
  /** Absent in answers of earlier releases. */
  generation: z.string().optional(),
});
export type StoredAnswer = z.infer<typeof storedAnswerSchema>;

type PlaceOwner = Pick<StoredAnswer, 'tenant' | 'user' | 'generation'>;

const candidateSchema = storedAnswerSchema.pick({ tenant: true, partition: true, questions: true });

export interface Neighbour {
  readonly id: string;
  readonly similarity: number;
  readonly questions: readonly string[];
}

/** Bounds of a search: whose answers, and how old they may be. */
export interface Scope {
  readonly tenant: string;
  readonly partition: string;
  readonly signature: string;
  readonly storedAfterMs: number;
  readonly nowMs: number;
}

/** A point that waits for the text of one attempt to store an answer. */
interface Place {
  readonly id: string;
  /** Unique for each attempt. */
  readonly attempt: string;
}

/** How a cluster keeps a collection; what is absent is Qdrant's to decide. */
interface CollectionSettings {
  readonly replicationFactor?: number | undefined;
  readonly shardNumber?: number | undefined;
  readonly writeConsistencyFactor?: number | undefined;
}

interface QdrantAnswersSettings extends CollectionSettings, QdrantPlace {
  readonly embedder: { readonly name: string; readonly dimensions: number };
  /** A look-up that takes longer releases its connection. */
  readonly timeoutMs: number;
}

export const COLLECTION_PREFIX = 'unbroken-answers-';

/** Vectors of two embedders cannot be compared, so each has its collection. */
export function collectionName(embedder: string): string {
  return `${COLLECTION_PREFIX}v2-${embedder}`;
}

export class QdrantAnswers {
  readonly #collection: string;
  readonly #dimensions: number;
  readonly #settings: CollectionSettings;
  readonly #client: QdrantClient;
  /** For look-ups. */
  readonly #quickClient: QdrantClient;
  #creation: Promise<void> | null = null;

  constructor({ url, apiKey, embedder, timeoutMs, ...settings }: QdrantAnswersSettings) {
    // Qdrant sends a compressed response in parts, and the last one only after the first is acknowledged: measured on
    // one machine, a hit takes 43 ms with compression and 2 ms without.
    const headers = { 'accept-encoding': 'identity' };
    const connect = (callMs: number) => connectQdrant({ url, apiKey }, { timeoutMs: callMs, headers });
    this.#collection = collectionName(embedder.name);
    this.#dimensions = embedder.dimensions;
    this.#settings = settings;
    this.#client = connect(SLOW_CALL_MS);
    // A little more than the limit of a look-up, whose own error says more.
    this.#quickClient = connect(timeoutMs + 50);
  }

  async get(id: string): Promise<StoredAnswer | null> {
    const retrieval = this.#quickClient.retrieve(this.#collection, { ids: [id], with_payload: true });
    const [point] = await orNone(retrieval, []);
    const payload = storedAnswerSchema.safeParse(point?.payload);
    return payload.success ? payload.data : null;
  }

  /** The newest answer to exactly this question, of any route, age and length. */
  async newest(
    tenant: string,
    question: string,
  ): Promise<{ readonly id: string; readonly stored: StoredAnswer } | null> {
    const scroll = this.#client.scroll(this.#collection, {
      filter: { must: [match('tenant', tenant), match('question', question)] },
      limit: BEST_OF,
      with_payload: true,
    });
    const { points } = await orNone(scroll, { points: [] });
    const answers = points.flatMap(({ id, payload }) => {
      const stored = storedAnswerSchema.safeParse(payload).data;
      return stored === undefined ? [] : [{ id: String(id), stored }];
    });
    return answers.sort((a, b) => b.stored.storedAtMs - a.stored.storedAtMs)[0] ?? null;
  }

  /** True if the partition has an answer that could be similar. */
  async hasAny(scope: Scope): Promise<boolean> {
    const scroll = this.#quickClient.scroll(this.#collection, {
      filter: { must: inScope(scope), must_not: [] },
      limit: 1,
      with_payload: false,
      with_vector: false,
    });
    return (await orNone(scroll, { points: [] })).points.length > 0;
  }

  /** The nearest questions, the most similar one first. */
  async near(
    scope: Scope,
    vector: readonly number[],
    leastSimilarity: number,
    limit: number,
  ): Promise<Neighbour[]> {
    const query = this.#quickClient.query(this.#collection, {
      query: [...vector],
      using: VECTOR,
      filter: { must: inScope(scope) },
      limit,
      score_threshold: leastSimilarity,
      params: SEARCH,
      with_payload: ['tenant', 'partition', 'questions'],
    });
    return (await orNone(query, { points: [] })).points.flatMap(({ id, score, payload }) => {
      const { data } = candidateSchema.safeParse(payload);
      // The filter has checked this. A leak between tenants would be too bad to rely on one check.
      const isOurs = data?.tenant === scope.tenant && data.partition === scope.partition;
      return isOurs ? [{ id: String(id), similarity: Math.min(1, score), questions: data.questions }] : [];
    });
  }

  /**
   * The first of the two writes that store an answer: a point that says whose answer will follow, and nothing of the
   * question or the answer. No look-up finds it, a deletion removes it like any other point, and it expires soon.
   */
  async makePlace(
    id: string,
    { tenant, user, generation }: PlaceOwner,
    vector: readonly number[] | null,
  ): Promise<Place> {
    await this.#ensureCollection();
    const attempt = crypto.randomUUID();
    const payload = { tenant, user, generation, attempt, expiresAtMs: Date.now() + PLACE_MS };
    const points = [{ id, vector: vector === null ? {} : { [VECTOR]: [...vector] }, payload }];
    await this.#orNoticeDrop(
      this.#client.upsert(this.#collection, { wait: true, ordering: ORDERING, points }),
    );
    return { id, attempt };
  }

  /** The second write: it puts the text into the place and never creates one. So after a deletion it does nothing. */
  async fill(place: Place, answer: StoredAnswer): Promise<void> {
    await this.#orNoticeDrop(
      this.#client.setPayload(this.#collection, {
        wait: true,
        ordering: ORDERING,
        payload: { ...answer },
        filter: filterOf(place),
      }),
    );
  }

  /** Removes the point in this place, unless another attempt has taken the place since. */
  async removePlace(place: Place): Promise<void> {
    await this.#client.delete(this.#collection, { wait: true, ordering: ORDERING, filter: filterOf(place) });
  }

  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#client.delete(this.#collection, { wait: true, ordering: ORDERING, points: [...ids] });
  }

  /** In every collection: no worker stores into that of an embedder that is no longer configured. */
  async deleteExpired(nowMs: number): Promise<void> {
    const filter = { must: [{ key: 'expiresAtMs', range: { lt: nowMs } }] };
    const { collections } = await this.#client.getCollections();
    const names = collections.map(({ name }) => name).filter((name) => name.startsWith(COLLECTION_PREFIX));
    await Promise.all(
      names.map((name) => orNone<unknown>(this.#client.delete(name, { wait: false, filter }), null)),
    );
  }

  #ensureCollection(): Promise<void> {
    this.#creation ??= this.#createCollection().catch((error: unknown) => {
      this.#creation = null;
      throw error;
    });
    return this.#creation;
  }

  async #createCollection(): Promise<void> {
    const { replicationFactor, shardNumber, writeConsistencyFactor } = this.#settings;
    await createCollection(this.#client, this.#collection, {
      vectors: { [VECTOR]: { size: this.#dimensions, distance: 'Cosine', on_disk: true } },
      quantization_config: QUANTIZATION,
      hnsw_config: { m: 0, payload_m: NEIGHBOURS },
      ...(replicationFactor === undefined ? {} : { replication_factor: replicationFactor }),
      ...(shardNumber === undefined ? {} : { shard_number: shardNumber }),
      ...(writeConsistencyFactor === undefined ? {} : { write_consistency_factor: writeConsistencyFactor }),
    });
  }

  /** If an administrator has dropped the collection, the caller's next attempt creates it again. */
  async #orNoticeDrop<Value>(write: Promise<Value>): Promise<Value> {
    try {
      return await write;
    } catch (error) {
      if (statusOf(error) === 404) this.#creation = null;
      throw error;
    }
  }
}

function match(key: string, value: string) {
  return { key, match: { value } };
}

function filterOf({ id, attempt }: Place) {
  return { must: [{ has_id: [id] }, match('attempt', attempt)] };
}

function inScope({ tenant, partition, signature, storedAfterMs, nowMs }: Scope) {
  return [
    match('tenant', tenant),
    match('partition', partition),
    match('signature', signature),
    { key: 'expiresAtMs', range: { gt: nowMs } },
    { key: 'storedAtMs', range: { gte: storedAfterMs } },
  ];
}

/** Without a collection nothing was stored. */
export async function orNone<Value>(read: Promise<Value>, none: Value): Promise<Value> {
  try {
    return await read;
  } catch (error) {
    if (statusOf(error) === 404) return none;
    throw error;
  }
}

type NewCollection = Parameters<QdrantClient['createCollection']>[1];

async function createCollection(client: QdrantClient, name: string, wanted: NewCollection): Promise<void> {
  const { exists } = await client.collectionExists(name);
  if (!exists) {
    await client.createCollection(name, wanted).catch(async (error: unknown) => {
      // Another worker may have created it between the two calls.
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
  // A Qdrant in strict mode, as Qdrant Cloud is by default, refuses filters of fields without an index.
  await index('attempt', 'keyword');
  await index('provider', 'keyword');
  await index('model', 'keyword');
  await index('expiresAtMs', 'integer');
  await index('storedAtMs', 'integer');
}

function statusOf(error: unknown): unknown {
  return error instanceof Error && 'status' in error ? error.status : undefined;
}
