/** Lists, searches and reads stored answers in every collection: each embedder has its own. */
import type { QdrantClient } from '@qdrant/js-client-rest';
import { z } from 'zod';
import { entryIdSchema } from '../../contracts/cached-entries.ts';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import { totalTokens } from '../../contracts/money.ts';
import { connectQdrant, type QdrantPlace } from './connect-qdrant.ts';
import {
  COLLECTION_PREFIX,
  orNone,
  type StoredAnswer,
  storedAnswerSchema,
  VECTOR,
} from './qdrant-answers.ts';
import type {
  EntryOwner,
  EntrySearch,
  StoredEntries,
  StoredEntry,
  WholeStoredEntry,
} from './stored-entries.ts';
import { similarityTo } from './text-similarity.ts';

/** Of a question or an answer in a list. */
const SHOWN_CHARS = 300;
/** Of an answer that a text is searched in. */
const SEARCHED_CHARS = 20_000;
const READ_AT_ONCE = 100;
/** Its index is the last that a new collection gets. */
const ORDER = 'storedAtMs';
const TIMEOUT_MS = 10_000;
/** A less similar text is not found. */
const LEAST_TEXT_SIMILARITY = 0.4;
const LEAST_MEANING_SIMILARITY = 0.3;

/** The moment of the last entry so far, and the entries of that moment. */
const cursorSchema = z.object({ atMs: z.int().nonnegative(), ids: z.array(entryIdSchema).max(READ_AT_ONCE) });
type Cursor = z.infer<typeof cursorSchema>;

interface FoundAnswer {
  readonly id: string;
  readonly stored: StoredAnswer;
}

export function createQdrantEntries(place: QdrantPlace): StoredEntries {
  return new QdrantEntries(connectQdrant(place, { timeoutMs: TIMEOUT_MS }));
}

class QdrantEntries implements StoredEntries {
  readonly #client: QdrantClient;

  constructor(client: QdrantClient) {
    this.#client = client;
  }

  async list(search: EntrySearch, after: string | undefined) {
    const cursor = after === undefined ? null : parseCursor(after);
    const { limit } = search;
    const found = await this.#newest(search, cursor, limit + 1);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const hasMore = found.length > limit && last !== undefined;
    return {
      data: page.map((entry) => toEntry(entry, null)),
      next: hasMore ? toText(cursorAfter(page, last.stored.storedAtMs, cursor)) : null,
    };
  }

  async searchText(search: EntrySearch, text: string): Promise<readonly StoredEntry[]> {
    const similarity = similarityTo(text);
    const matches: StoredEntry[] = [];
    let cursor: Cursor | null = null;
    for (let read = 0; read < LIMITS.searchedEntries; read += READ_AT_ONCE) {
      const page: FoundAnswer[] = await this.#newest(search, cursor, READ_AT_ONCE);
      for (const entry of page) {
        const texts = [...entry.stored.questions, entry.stored.text.slice(0, SEARCHED_CHARS)];
        const most = Math.max(...texts.map(similarity));
        if (most >= LEAST_TEXT_SIMILARITY) matches.push(toEntry(entry, most));
      }
      const last = page.at(-1);
      if (page.length < READ_AT_ONCE || last === undefined) break;
      cursor = cursorAfter(page, last.stored.storedAtMs, cursor);
    }
    return matches
      .sort((a, b) => (b.similarity ?? 0) - (a.similarity ?? 0) || b.storedAt - a.storedAt)
      .slice(0, search.limit);
  }

  async searchLike(search: EntrySearch, id: string): Promise<readonly StoredEntry[] | null> {
    const place = await this.#find(search, id);
    if (place === null) return null;
    if (!place.hasVector) return [];
    const { points } = await this.#client.query(place.collection, {
      query: id,
      using: VECTOR,
      filter: { must: conditionsOf(search) },
      limit: search.limit,
      score_threshold: LEAST_MEANING_SIMILARITY,
      with_payload: true,
    });
    return points.flatMap((point) => {
      const found = toFound(point, search);
      return found === null ? [] : [toEntry(found, Math.min(1, point.score))];
    });
  }

  async read(owner: EntryOwner, id: string): Promise<WholeStoredEntry | null> {
    const place = await this.#find(owner, id);
    if (place === null) return null;
    const { questions, text, usage, finishReason, generation = null } = place.stored;
    return { ...commonOf(place), questions, answer: text, usage, finishReason, generation };
  }

  /** In which collection an entry of the owner is. */
  async #find(owner: EntryOwner, id: string) {
    for (const collection of await this.#collections()) {
      const [point] = await this.#client.retrieve(collection, {
        ids: [id],
        with_payload: true,
        with_vector: [VECTOR],
      });
      const found = point === undefined ? null : toFound(point, owner);
      if (found === null || found.stored.expiresAtMs <= Date.now()) continue;
      const vectors = point?.vector;
      const hasVector = typeof vectors === 'object' && vectors !== null && VECTOR in vectors;
      return { ...found, collection, hasVector };
    }
    return null;
  }

  /** Of all collections, from a cursor on. */
  async #newest(search: EntrySearch, cursor: Cursor | null, limit: number): Promise<FoundAnswer[]> {
    const pages = await Promise.all(
      (await this.#collections()).map(async (collection) => {
        const { points } = await this.#client.scroll(collection, {
          filter: {
            must: conditionsOf(search),
            must_not: cursor === null ? [] : [{ has_id: cursor.ids }],
          },
          order_by: {
            key: ORDER,
            direction: 'desc',
            ...(cursor === null ? {} : { start_from: cursor.atMs }),
          },
          limit,
          with_payload: true,
        });
        return points.flatMap((point) => toFound(point, search) ?? []);
      }),
    );
    return pages
      .flat()
      .sort((a, b) => b.stored.storedAtMs - a.stored.storedAtMs || (a.id < b.id ? -1 : 1))
      .slice(0, limit);
  }

  /** Without those that another process is creating or has just dropped: nothing is stored in them. */
  async #collections(): Promise<string[]> {
    const { collections } = await this.#client.getCollections();
    const names = collections.map(({ name }) => name).filter((name) => name.startsWith(COLLECTION_PREFIX));
    const isReady = async (name: string) => ORDER in (await this.#client.getCollection(name)).payload_schema;
    const ready = await Promise.all(names.map((name) => orNone(isReady(name), false)));
    return names.filter((_, at) => ready[at]);
  }
}

function conditionsOf({ tenant, user, model }: EntrySearch) {
  const match = (key: string, value: string) => ({ key, match: { value } });
  return [
    match('tenant', tenant),
    ...(user === undefined ? [] : [match('user', user)]),
    ...(model === undefined ? [] : [match('provider', model.provider), match('model', model.model)]),
    { key: 'expiresAtMs', range: { gt: Date.now() } },
  ];
}

/** The filter has checked the owner. A leak between tenants would be too bad to rely on one check. */
function toFound(
  { id, payload }: { readonly id: string | number; readonly payload?: unknown },
  { tenant, user }: EntryOwner,
): FoundAnswer | null {
  const { data } = storedAnswerSchema.safeParse(payload);
  const isOwn = data?.tenant === tenant && (user === undefined || data.user === user);
  return isOwn ? { id: String(id), stored: data } : null;
}

function commonOf({ id, stored }: FoundAnswer) {
  const { user, provider, model, storedAtMs: storedAt, expiresAtMs: expiresAt, usage } = stored;
  return { id, user, provider, model, storedAt, expiresAt, tokens: totalTokens(usage) };
}

function toEntry(found: FoundAnswer, similarity: number | null): StoredEntry {
  const { questions, text } = found.stored;
  return { ...commonOf(found), question: cut(questions.at(-1) ?? ''), answer: cut(text), similarity };
}

function cut(text: string): string {
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS).toWellFormed()}…`;
}

function cursorAfter(page: readonly FoundAnswer[], atMs: number, before: Cursor | null): Cursor {
  const ids = page.filter(({ stored }) => stored.storedAtMs === atMs).map(({ id }) => id);
  return { atMs, ids: before?.atMs === atMs ? [...before.ids, ...ids].slice(-READ_AT_ONCE) : ids };
}

function toText(cursor: Cursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

function parseCursor(text: string): Cursor {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch (error) {
    const message = 'after: expected the "next" of the page before.';
    throw new UnbrokenError('invalid_request', message, { cause: error });
  }
}
