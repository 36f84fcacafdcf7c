/**
 * The logs in the object store. A log is one object under its id, because readers know no more than the id; a large
 * input is a second one. Beside them, an index lists by the day on which they expire which logs to delete. An index is
 * written before the logs that it names, so no log is ever without one.
 */
import { createHash, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { dayOf } from '../../contracts/time.ts';
import { keyPart, type ObjectStore } from '../../platform/object-store/object-store.ts';
import { ArchivedLog, type StoredLog } from './archived-log.ts';
import type { ObjectCodec } from './archived-object.ts';
import { RecentLogs } from './recent-logs.ts';

/** A larger input is kept apart, so that a reader of the answer does not read it. */
const INPUT_HERE_CHARS = 16 * 1024;
const DELETED_AT_ONCE = 16;

const indexSchema = z.array(z.object({ generationId: z.string(), tenant: z.string(), user: z.string() }));
type Indexed = z.infer<typeof indexSchema>[number];

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
  async find(generationId: string, isFresh = false): Promise<ArchivedLog | null> {
    const log = await this.#recent.get(generationId, isFresh, async () => {
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
      const listed = ofDay.map(({ generationId, tenant, user }) => ({ generationId, tenant, user }));
      await this.#store.put(`expiry/${day}/${randomUUID()}`, await this.#codec.write(JSON.stringify(listed)));
    }
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
      const page = await this.#store.list('expiry/', after === undefined ? {} : { after });
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

function placeOf(inputJson: string | null, isApart: boolean): StoredLog['input'] {
  if (inputJson === null) return { is: 'none' };
  return isApart ? { is: 'apart' } : { is: 'here', json: inputJson };
}

/** Two letters of a hash spread the files of a folder. */
function logKey(generationId: string): string {
  return `logs/${spread(generationId)}/${keyPart(generationId)}`;
}

function inputKey(generationId: string): string {
  return `inputs/${spread(generationId)}/${keyPart(generationId)}`;
}

function spread(generationId: string): string {
  return createHash('sha256').update(generationId).digest('hex').slice(0, 2);
}
