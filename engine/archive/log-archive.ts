/**
 * The logs in the object store. A log is one object under its id, because readers know no more than the id; a large
 * input is a second one. Beside them, an index lists by the day on which they expire which logs to delete. An index is
 * written before the logs that it names, so no log is ever without one.
 */
import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { OBJECT_FOLDERS } from '../../contracts/names.ts';
import { dayOf } from '../../contracts/time.ts';
import { keyPart, type ObjectStore } from '../../platform/object-store/object-store.ts';
import { ArchivedLog, type StoredLog } from './archived-log.ts';
import type { ObjectCodec } from './archived-object.ts';
import { RecentLogs } from './recent-logs.ts';

/** A larger input is kept apart, so that a reader of the answer does not read it. */
const INPUT_HERE_CHARS = 16 * 1024;
const DELETED_AT_ONCE = 16;
const READ_AT_ONCE = 16;
const EXPIRY = `${OBJECT_FOLDERS.expiry}/`;

const indexSchema = z.array(
  z.object({
    generationId: z.string(),
    tenant: z.string(),
    /** The hash of its user, so that the index says nothing once the logs are erased. */
    owner: z.string().optional(),
    /** In place of it, in what older code has written. */
    user: z.string().optional(),
  }),
);
type Listed = z.infer<typeof indexSchema>[number];

interface Owner {
  readonly tenant: string;
  readonly user: string;
}

type Indexed = Owner & { readonly generationId: string };

interface LogsOfUser {
  readonly ids: readonly string[];
  /** Objects of the index whose key is not known here; nor are the keys of the logs that they list. */
  readonly unreadable: number;
  readonly next: string | null;
}

/** A log without where its input lies. */
export type LogToArchive = Omit<StoredLog, 'input'> & { readonly inputJson: string | null };

export class LogArchive {
  readonly #store: ObjectStore;
  readonly #codec: ObjectCodec;
  readonly #recent = new RecentLogs();

  constructor(store: ObjectStore, codec: ObjectCodec) {
    this.#store = store;
    this.#codec = codec;
  }

  /**
   * An archived log; null if there is none, or if it has expired.
   * @param isFresh the object itself is read, not what this process remembers of it for some seconds.
   */
  async find(generationId: string, { isFresh = false } = {}): Promise<ArchivedLog | null> {
    const log = await this.#recent.get(generationId, { isFresh }, async () => {
      const bytes = await this.#get(logKey(generationId));
      if (bytes === null) return null;
      const json = await this.#codec.read(bytes);
      return { value: ArchivedLog.parse(json), chars: json.length };
    });
    return log === null || log.stored.expiresAt <= Date.now() ? null : log;
  }

  async readInput({ stored: { generationId, input } }: ArchivedLog): Promise<string | null> {
    if (input.is === 'none') return null;
    if (input.is === 'here') return input.json;
    const bytes = await this.#get(inputKey(generationId));
    return bytes === null ? null : this.#codec.read(bytes);
  }

  /** Lists logs that are about to be archived under the days on which they expire. */
  async index(logs: readonly (Indexed & { readonly expiresAt: number })[]): Promise<void> {
    const byDay = Map.groupBy(logs, ({ expiresAt }) => dayOf(expiresAt));
    for (const [day, ofDay] of byDay) {
      const listed = ofDay.map(withoutUser);
      await this.#putIndex(`${EXPIRY}${day}/${randomUUID()}`, listed);
    }
  }

  /**
   * The ids of a user's archived logs, a page of the index at a time; some may be gone.
   * @param after `next` of the page before.
   */
  async ofUser(owner: Owner, after: string | null): Promise<LogsOfUser> {
    const page = await this.#store.list(EXPIRY, after === null ? {} : { after });
    const ids: string[] = [];
    let unreadable = 0;
    for (let first = 0; first < page.objects.length; first += READ_AT_ONCE) {
      const some = page.objects.slice(first, first + READ_AT_ONCE);
      for (const listed of await Promise.all(some.map(({ key }) => this.#listedOf(owner, key)))) {
        if (listed === null) unreadable += 1;
        else ids.push(...listed);
      }
    }
    return { ids, unreadable, next: page.next };
  }

  /** Of one object of the index, which is written again if it names users; two erasures write the same. */
  async #listedOf({ tenant, user }: Owner, key: string): Promise<string[] | null> {
    const bytes = await this.#store.get(key);
    if (bytes === null) return [];
    const json = await this.#codec.read(bytes).catch(() => null);
    if (json === null) return null;
    const read = indexSchema.parse(JSON.parse(json));
    const listed = read.map(withoutUser);
    if (read.some((log) => log.user !== undefined)) await this.#putIndex(key, listed);
    const owner = ownerHash({ tenant, user });
    return listed.flatMap((log) => (log.owner === owner ? [log.generationId] : []));
  }

  async #putIndex(key: string, listed: readonly Listed[]): Promise<void> {
    await this.#store.put(key, await this.#codec.write(JSON.stringify(listed)));
  }

  /** Deletes all of an archived log. The index forgets it on the day on which it would have expired. */
  async remove(generationId: string): Promise<void> {
    this.#recent.forget(generationId);
    await this.#store.delete([inputKey(generationId), logKey(generationId)]);
  }

  /** Writes a log that is in the index. @param signal ends it before its claim does. */
  async write({ inputJson, ...log }: LogToArchive, signal?: AbortSignal): Promise<void> {
    const { generationId } = log;
    const isApart = inputJson !== null && inputJson.length > INPUT_HERE_CHARS;
    if (isApart) await this.#store.put(inputKey(generationId), await this.#codec.write(inputJson), signal);
    await this.#put({ ...log, input: placeOf(inputJson, isApart) }, signal);
    // An earlier log of this id may have left its input, or this one, which was erased while it was being archived.
    const mayHaveLeftInput = log.fields['unique'] === undefined || log.fields['erased'] !== undefined;
    if (!isApart && mayHaveLeftInput) await this.#store.delete([inputKey(generationId)]);
  }

  /** Deletes the texts of an archived log; its head stays until it expires. */
  async erase(log: ArchivedLog): Promise<void> {
    const { generationId } = log.stored;
    await this.#store.delete([inputKey(generationId)]);
    await this.#put(log.erased());
  }

  /** Changes fields of an archived log, or when it expires. */
  async change(
    log: ArchivedLog,
    { fields = {}, expiresAt = log.stored.expiresAt }: Partial<Pick<StoredLog, 'fields' | 'expiresAt'>>,
  ): Promise<void> {
    const { generationId } = log.stored;
    const { tenant, user } = log.head;
    if (expiresAt !== log.stored.expiresAt) await this.index([{ generationId, tenant, user, expiresAt }]);
    await this.#put({ ...log.stored, expiresAt, fields: { ...log.stored.fields, ...fields } });
  }

  /**
   * Deletes the logs that have expired on the days before `nowMs`. It may be interrupted and repeated. An id may have
   * been used again since it was listed, so the log itself says whether it has expired.
   * @param onError receives why some of them were not deleted; the next call tries them again.
   * @returns how many were deleted.
   */
  async deleteExpired(nowMs: number, onError: (error: unknown) => void): Promise<number> {
    const today = dayOf(nowMs);
    let deleted = 0;
    for (let after: string | undefined; ; ) {
      const page = await this.#store.list(EXPIRY, after === undefined ? {} : { after });
      for (const { key } of page.objects) {
        if ((key.split('/')[1] ?? '') >= today) continue;
        const count = await this.#deleteListed(key, nowMs).catch(onError);
        deleted += count ?? 0;
      }
      if (page.next === null) return deleted;
      after = page.next;
    }
  }

  async #deleteListed(indexKey: string, nowMs: number): Promise<number> {
    const bytes = await this.#store.get(indexKey);
    if (bytes === null) return 0;
    const listed = indexSchema.parse(JSON.parse(await this.#codec.read(bytes)));
    let deleted = 0;
    for (let first = 0; first < listed.length; first += DELETED_AT_ONCE) {
      const some = listed.slice(first, first + DELETED_AT_ONCE);
      const counts = await Promise.all(
        some.map(({ generationId }) => this.#deleteIfExpired(generationId, nowMs)),
      );
      for (const count of counts) deleted += count;
    }
    await this.#store.delete([indexKey]);
    return deleted;
  }

  async #deleteIfExpired(generationId: string, nowMs: number): Promise<number> {
    const bytes = await this.#store.get(logKey(generationId));
    if (bytes === null) return 0;
    const { stored } = ArchivedLog.parse(await this.#codec.read(bytes));
    if (stored.expiresAt > nowMs) return 0;
    await this.#store.delete([inputKey(generationId), logKey(generationId)]);
    return 1;
  }

  /** For a reader, which waits for the answer and can come again. */
  async #get(key: string): Promise<Uint8Array | null> {
    try {
      return await this.#store.get(key);
    } catch (cause) {
      const message = 'The archive of ended generations cannot be read now.';
      throw new UnbrokenError('service_unavailable', message, { cause });
    }
  }

  async #put(log: StoredLog, signal?: AbortSignal): Promise<void> {
    await this.#store.put(logKey(log.generationId), await this.#codec.write(JSON.stringify(log)), signal);
    this.#recent.forget(log.generationId);
  }
}

function withoutUser({ generationId, tenant, owner, user }: Listed): Listed {
  return { generationId, tenant, owner: owner ?? ownerHash({ tenant, user: user ?? '' }) };
}

function ownerHash({ tenant, user }: Owner): string {
  return createHash('sha256').update(`${tenant}\0${user}`).digest('hex');
}

function placeOf(inputJson: string | null, isApart: boolean): StoredLog['input'] {
  if (inputJson === null) return { is: 'none' };
  return isApart ? { is: 'apart' } : { is: 'here', json: inputJson };
}

/** Two letters of a hash spread the files of a folder. */
function logKey(generationId: string): string {
  return `${OBJECT_FOLDERS.logs}/${spread(generationId)}/${keyPart(generationId)}`;
}

function inputKey(generationId: string): string {
  return `${OBJECT_FOLDERS.inputs}/${spread(generationId)}/${keyPart(generationId)}`;
}

function spread(generationId: string): string {
  return createHash('sha256').update(generationId).digest('hex').slice(0, 2);
}
