/** Conversations in Redis, durable by its append-only file. They expire a while after their last change. */
import { z } from 'zod';
import { parseJson } from '../../contracts/json.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { askScriptForTexts, type Script, type ScriptRedis } from '../../platform/redis/lua-script.ts';
import {
  ABANDON,
  APPEND,
  CREATE,
  DELETE_ITEM,
  RESERVE,
  SET_METADATA,
  SETTLE,
} from './conversation-scripts.ts';
import type {
  AppendOutcome,
  ConversationHead,
  ConversationItem,
  ConversationStore,
  ItemPlace,
  NewConversation,
  ReserveOutcome,
  SettledTurn,
} from './conversation-store.ts';

interface ConversationRedis extends ScriptRedis {
  hGetAll(key: string): Promise<Record<string, string>>;
  hKeys(key: string): Promise<string[]>;
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  del(keys: string[]): Promise<number>;
}

const storedSchema = z.object({
  tenant: z.string(),
  user: z.string(),
  metadata: z.string(),
  createdAtMs: z.coerce.number(),
  untilHour: z.coerce.number(),
  bytes: z.coerce.number(),
  pending: z.string().optional(),
  pendingAtMs: z.coerce.number().optional(),
});
const TURN = 'turn:';

export class RedisConversations implements ConversationStore {
  readonly #redis: ConversationRedis;
  readonly #keptMs: number;

  /** @param keptMs how long a conversation is kept after its last change. */
  constructor(redis: ConversationRedis, { keptMs }: { readonly keptMs: number }) {
    this.#redis = redis;
    this.#keptMs = keptMs;
  }

  async create(
    { id, tenant, user, metadata, untilHour }: NewConversation,
    items: readonly ConversationItem[],
  ): Promise<AppendOutcome> {
    const fields = { tenant, user, metadata: JSON.stringify(metadata), untilHour: String(untilHour) };
    return (await this.#ask(id, CREATE, { fields, ids: idsOf(items) }, textsOf(items))) as AppendOutcome;
  }

  async head(id: string): Promise<ConversationHead | null> {
    const stored = await this.#redis.hGetAll(keysOf(id)[0]);
    if (Object.keys(stored).length === 0) return null;
    const { pending, pendingAtMs = 0, metadata, ...rest } = storedSchema.parse(stored);
    return {
      ...rest,
      id,
      metadata: JSON.parse(metadata),
      pending: pending === undefined ? null : { generationId: pending, reservedAtMs: pendingAtMs },
    };
  }

  async itemIds(id: string): Promise<readonly ItemPlace[]> {
    return (await this.#redis.hKeys(keysOf(id)[1]))
      .map((field) => ({
        place: field.slice(0, field.indexOf(' ')),
        id: field.slice(field.indexOf(' ') + 1),
      }))
      .filter((entry) => !entry.id.startsWith(TURN))
      .sort((a, b) => (a.place < b.place ? -1 : 1));
  }

  async items(id: string, places: readonly ItemPlace[]): Promise<readonly ConversationItem[]> {
    if (places.length === 0) return [];
    const texts = await this.#redis.hmGet(keysOf(id)[1], places.map(fieldOf));
    return texts.flatMap((text) => (text === null ? [] : [parseJson(text) as ConversationItem]));
  }

  async setMetadata(id: string, metadata: Readonly<Record<string, string>>): Promise<boolean> {
    return (await this.#ask(id, SET_METADATA, { metadata: JSON.stringify(metadata) })) === 'set';
  }

  async append(id: string, items: readonly ConversationItem[], untilHour: number): Promise<AppendOutcome> {
    const fields = { ids: idsOf(items), untilHour: String(untilHour) };
    return (await this.#ask(id, APPEND, fields, textsOf(items))) as AppendOutcome;
  }

  async deleteItem(id: string, itemId: string): Promise<number | null> {
    const entry = (await this.itemIds(id)).find((place) => place.id === itemId);
    if (entry === undefined) return null;
    const [outcome, bytes] = await this.#answerTo(id, DELETE_ITEM, { field: fieldOf(entry) });
    return outcome === 'deleted' ? Number(bytes) : null;
  }

  async delete(id: string): Promise<boolean> {
    return (await this.#redis.del([...keysOf(id)])) > 0;
  }

  async reserve(id: string, generationId: string): Promise<ReserveOutcome> {
    return (await this.#ask(id, RESERVE, { generationId })) as ReserveOutcome;
  }

  async settle(id: string, { generationId, items, untilHour }: SettledTurn): Promise<boolean> {
    const fields = { generationId, ids: idsOf(items), untilHour: String(untilHour) };
    return (await this.#ask(id, SETTLE, fields, textsOf(items))) === 'settled';
  }

  async abandon(id: string, generationId: string): Promise<void> {
    await this.#ask(id, ABANDON, { generationId });
  }

  async #ask(id: string, called: Script, fields: object, texts: readonly string[] = []): Promise<string> {
    const [outcome = ''] = await this.#answerTo(id, called, fields, texts);
    return outcome;
  }

  #answerTo(id: string, called: Script, fields: object, texts: readonly string[] = []) {
    const ask = { ...fields, keptMs: this.#keptMs };
    return askScriptForTexts(this.#redis, called, { keys: keysOf(id), ask, texts });
  }
}

function keysOf(id: string): readonly [string, string] {
  return [REDIS_KEYS.conversation(id, 'meta'), REDIS_KEYS.conversation(id, 'entries')];
}

function fieldOf({ place, id }: ItemPlace): string {
  return `${place} ${id}`;
}

function idsOf(items: readonly ConversationItem[]): string[] {
  return items.map(({ id }) => id);
}

function textsOf(items: readonly ConversationItem[]): string[] {
  return items.map((item) => JSON.stringify(item));
}
