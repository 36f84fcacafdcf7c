/** Complaints in Redis: one script decides each step, so every worker knows of a complaint once it is accepted. */
import { z } from 'zod';
import { LIMITS } from '../../contracts/limits.ts';
import { REDIS_KEYS } from '../../contracts/names.ts';
import { askScript, askScriptForTexts, type ScriptRedis } from '../../platform/redis/lua-script.ts';
import type { DeletedEntries } from './answer-cache.ts';
import { ADD_COMPLAINT, FORGET_ENTRY, REMOVE_COMPLAINTS } from './complaint-scripts.ts';
import type { Complaint, Complaints, ComplaintsByEntry } from './complaints.ts';

/** The commands of a node-redis client that complaints need. */
export interface ComplaintsRedis extends ScriptRedis {
  del(keys: string[]): Promise<unknown>;
  hmGet(key: string, fields: string[]): Promise<(string | null)[]>;
  hVals(key: string): Promise<string[]>;
  zRange(key: string, from: number, to: number, options: { REV: true }): Promise<string[]>;
}

/** Complaints that one script removes: each rewrites the list of its entry. */
const REMOVED_AT_ONCE = 100;

const storedSchema = z.object({
  user: z.string(),
  owner: z.string().nullable(),
  questionId: z.string().nullable(),
  questions: z.array(z.string()).nullable(),
  storedQuestion: z.string().nullable(),
  similarity: z.number(),
});
const listSchema = z.array(z.tuple([z.string(), z.string(), z.coerce.number()]));
const addedSchema = z.tuple([z.enum(['added', 'known', 'full'])]);

export class RedisComplaints implements Complaints {
  readonly #redis: ComplaintsRedis;
  readonly #mostPerTenant: number;

  constructor(redis: ComplaintsRedis, mostPerTenant: number = LIMITS.complaintsPerTenant) {
    this.#redis = redis;
    this.#mostPerTenant = mostPerTenant;
  }

  async of(tenant: string, entryIds: readonly string[]): Promise<ComplaintsByEntry> {
    if (entryIds.length === 0) return new Map();
    const lists = await this.#redis.hmGet(byEntryKey(tenant), [...entryIds]);
    return new Map(
      lists.flatMap((list, at) => {
        const entryId = entryIds[at];
        return list === null || entryId === undefined ? [] : [[entryId, parseList(entryId, list)]];
      }),
    );
  }

  async add(tenant: string, complaint: Omit<Complaint, 'atMs'>): Promise<'added' | 'known' | 'full'> {
    const { generationId, entryId, ...stored } = complaint;
    const ask = {
      generationId,
      entryId,
      keptMs: LIMITS.complaintKeptMs,
      mostPerEntry: LIMITS.complaintsPerEntry,
      mostPerTenant: this.#mostPerTenant,
    };
    const text = JSON.stringify(stored);
    const reply = await askScriptForTexts(this.#redis, ADD_COMPLAINT, {
      keys: keysOf(tenant),
      ask,
      texts: [text],
    });
    const [outcome] = addedSchema.parse(reply);
    return outcome;
  }

  async list(tenant: string, { offset, limit }: { readonly offset: number; readonly limit: number }) {
    const ids = await this.#redis.zRange(timesKey(tenant), offset, offset + limit, { REV: true });
    const page = ids.slice(0, limit);
    const entries = page.length === 0 ? [] : await this.#redis.hmGet(entryOfKey(tenant), page);
    const found = await this.of(tenant, [...new Set(entries.filter((entry) => entry !== null))]);
    const complaints = page.flatMap((generationId, at) => {
      const ofEntry = found.get(entries[at] ?? '') ?? [];
      return ofEntry.filter((complaint) => complaint.generationId === generationId);
    });
    return { complaints, next: ids.length > limit ? offset + limit : null };
  }

  async lift(tenant: string, entryId: string, generationId: string): Promise<boolean> {
    const complaints = (await this.of(tenant, [entryId])).get(entryId) ?? [];
    if (!complaints.some((complaint) => complaint.generationId === generationId)) return false;
    return (await this.#remove(tenant, [generationId])) > 0;
  }

  async delete(entries: DeletedEntries): Promise<void> {
    const { tenant } = entries;
    if ('generationId' in entries) await this.#remove(tenant, [entries.generationId]);
    else if ('entryId' in entries) {
      await askScript(this.#redis, FORGET_ENTRY, { keys: keysOf(tenant), ask: { entryId: entries.entryId } });
    } else if ('user' in entries) await this.#deleteOfUser(tenant, entries.user);
    else await this.#redis.del([...keysOf(tenant)]);
  }

  async withdraw(tenant: string, generationId: string): Promise<boolean> {
    return (await this.#remove(tenant, [generationId])) > 0;
  }

  async ofUser(tenant: string, user: string, untilMs: number): Promise<readonly string[]> {
    const lists = await this.#redis.hVals(byEntryKey(tenant));
    return lists
      .flatMap((list) => parseList('', list))
      .filter((complaint) => complaint.user === user || complaint.owner === user)
      .filter(({ atMs }) => atMs <= untilMs)
      .map(({ generationId }) => generationId);
  }

  async #deleteOfUser(tenant: string, user: string): Promise<void> {
    const ids = await this.ofUser(tenant, user, Number.POSITIVE_INFINITY);
    for (let at = 0; at < ids.length; at += REMOVED_AT_ONCE) {
      await this.#remove(tenant, ids.slice(at, at + REMOVED_AT_ONCE));
    }
  }

  async #remove(tenant: string, generations: readonly string[]): Promise<number> {
    const removed = await askScript(this.#redis, REMOVE_COMPLAINTS, {
      keys: keysOf(tenant),
      ask: { generations },
    });
    return z.number().parse(removed);
  }
}

function parseList(entryId: string, list: string): readonly Complaint[] {
  return listSchema.parse(JSON.parse(list)).map(([generationId, text, atMs]) => ({
    ...storedSchema.parse(JSON.parse(text)),
    entryId,
    generationId,
    atMs,
  }));
}

const byEntryKey = (tenant: string) => REDIS_KEYS.complaints(tenant, 'by-entry');
const entryOfKey = (tenant: string) => REDIS_KEYS.complaints(tenant, 'entry-of');
const timesKey = (tenant: string) => REDIS_KEYS.complaints(tenant, 'times');

function keysOf(tenant: string): readonly string[] {
  return [byEntryKey(tenant), entryOfKey(tenant), timesKey(tenant)];
}
