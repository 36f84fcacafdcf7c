/**
 * Files: their bytes in the object store, their records in Redis. The time at which a file is deleted is noted before
 * its first byte is written, so bytes whose upload was never completed are deleted, too.
 */
import { z } from 'zod';
import { UnbrokenError } from '../../contracts/errors.ts';
import { OBJECT_FOLDERS, REDIS_KEYS } from '../../contracts/names.ts';
import { DAY_MS, HOUR_MS } from '../../contracts/time.ts';
import { keyPart, type ObjectStore, type UploadOptions } from '../../platform/object-store/object-store.ts';
import { type IdsByTimeRedis, pagesAfter } from '../../platform/redis/ids-by-time.ts';
import { askScriptForTexts, type ScriptRedis, script } from '../../platform/redis/lua-script.ts';
import type { FileName, FilePage, FileStore, StoredFile } from './file-store.ts';

const EXPIRED_AT_ONCE = 20;
/** When a file that has expired, and that a batch still reads, is looked at again. */
const LOOK_AGAIN_MS = HOUR_MS;
const MIB = 1024 * 1024;

/** KEYS record, bytes of the tenant, lists. ARGV[2] the record. -> {added, known or full} */
const ADD = script(`
local ask = cjson.decode(ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 1 then return {'known'} end
local total = tonumber(redis.call('GET', KEYS[2]) or '0') + ask.bytes
if ask.limit and total > ask.limit then return {'full'} end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], string.format('%.0f', total))
for i = 3, #KEYS do redis.call('ZADD', KEYS[i], string.format('%.0f', ask.createdAt), ask.fileId) end
return {'added'}
`);

/** KEYS record, bytes of the tenant, lists. -> {removed or missing} */
const REMOVE = script(`
local ask = cjson.decode(ARGV[1])
if redis.call('DEL', KEYS[1]) == 0 then return {'missing'} end
local total = tonumber(redis.call('GET', KEYS[2]) or '0') - ask.bytes
if total > 0 then redis.call('SET', KEYS[2], string.format('%.0f', total)) else redis.call('DEL', KEYS[2]) end
for i = 3, #KEYS do redis.call('ZREM', KEYS[i], ask.fileId) end
return {'removed'}
`);

const recordSchema = z.object({
  tenant: z.string(),
  user: z.string(),
  fileId: z.string(),
  filename: z.string(),
  purpose: z.enum(['batch', 'batch_output']),
  bytes: z.number(),
  createdAt: z.number(),
  expiresAt: z.number(),
}) satisfies z.ZodType<StoredFile>;

const dueSchema = z.tuple([z.string(), z.string()]);

interface FilesRedis extends ScriptRedis, IdsByTimeRedis {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, options: { condition: 'XX' }): Promise<unknown>;
  mGet(keys: string[]): Promise<(string | null)[]>;
  zAdd(key: string, member: { readonly score: number; readonly value: string }): Promise<unknown>;
  zRem(key: string, member: string): Promise<unknown>;
}

interface FilesOptions {
  /** null: no limit. */
  readonly bytesPerTenant: number | null;
  /** Whether a batch still reads the file: then its bytes outlive its expiry. */
  readonly isRead: (file: FileName) => Promise<boolean>;
}

export class RedisFileStore implements FileStore {
  readonly #redis: FilesRedis;
  readonly #store: ObjectStore;
  readonly #bytesPerTenant: number | null;
  readonly #isRead: FilesOptions['isRead'];

  constructor(redis: FilesRedis, store: ObjectStore, { bytesPerTenant, isRead }: FilesOptions) {
    this.#redis = redis;
    this.#store = store;
    this.#bytesPerTenant = bytesPerTenant;
    this.#isRead = isRead;
  }

  async upload(
    name: FileName,
    body: AsyncIterable<Uint8Array>,
    { keptMs = DAY_MS, ...options }: UploadOptions & { readonly keptMs?: number } = {},
  ): Promise<number> {
    await this.#deleteAt(name, Date.now() + keptMs);
    return this.#store.upload(objectKeyOf(name), body, options);
  }

  async add(file: StoredFile, { mayExceed = false } = {}): Promise<void> {
    const limit = mayExceed ? null : this.#bytesPerTenant;
    const { fileId, bytes, createdAt } = file;
    const [outcome] = await askScriptForTexts(this.#redis, ADD, {
      keys: keysOf(file),
      ask: { fileId, bytes, createdAt, ...(limit === null ? {} : { limit }) },
      texts: [JSON.stringify(file)],
    });
    if (outcome !== 'full') {
      await this.#deleteAt(file, file.expiresAt);
      return;
    }
    await this.#store.delete([objectKeyOf(file)]);
    throw new UnbrokenError(
      'storage_exceeded',
      `The files of ${file.tenant} would have more than ${Math.floor((limit ?? 0) / MIB)} MiB; the setting is files.bytesPerTenant.`,
    );
  }

  async find(name: FileName): Promise<StoredFile | null> {
    const file = parse(await this.#redis.get(recordKey(name)));
    return file === null || file.expiresAt <= Date.now() ? null : file;
  }

  async list(
    { tenant, user }: { readonly tenant: string; readonly user: string | null },
    { limit, after, order, purpose }: FilePage,
  ): Promise<{ readonly files: readonly StoredFile[]; readonly hasMore: boolean }> {
    const files: StoredFile[] = [];
    const last = after === null ? null : { id: after.fileId, atMs: after.createdAt };
    const pages = pagesAfter(this.#redis, listKey(tenant, user), { order, last, count: limit + 1 });
    for await (const ids of pages) {
      for (const file of await this.#read(tenant, ids)) {
        const isWanted = purpose === undefined || file.purpose === purpose;
        if (isWanted && file.expiresAt > Date.now()) files.push(file);
      }
      if (files.length > limit) break;
    }
    return { files: files.slice(0, limit), hasMore: files.length > limit };
  }

  async setExpiry(name: FileName, expiresAt: number): Promise<void> {
    const file = parse(await this.#redis.get(recordKey(name)));
    if (file === null) return;
    const record = JSON.stringify({ ...file, expiresAt });
    // First the record, which decides: what is due by its time alone is looked up there.
    const isSet = await this.#redis.set(recordKey(name), record, { condition: 'XX' });
    if (isSet !== null) await this.#deleteAt(name, expiresAt);
  }

  async download(name: FileName) {
    return this.#store.download(objectKeyOf(name));
  }

  async remove(name: FileName): Promise<void> {
    const file = parse(await this.#redis.get(recordKey(name)));
    await this.#store.delete([objectKeyOf(name)]);
    if (file !== null) {
      const { fileId, bytes } = file;
      await askScriptForTexts(this.#redis, REMOVE, { keys: keysOf(file), ask: { fileId, bytes } });
    }
    await this.#redis.zRem(REDIS_KEYS.filesDue, memberOf(name));
  }

  async removeExpired(): Promise<void> {
    const due = await this.#redis.zRange(REDIS_KEYS.filesDue, 0, Date.now(), {
      BY: 'SCORE',
      LIMIT: { offset: 0, count: EXPIRED_AT_ONCE },
    });
    for (const member of due) {
      const [tenant, fileId] = dueSchema.parse(JSON.parse(member));
      const name = { tenant, fileId };
      const file = parse(await this.#redis.get(recordKey(name)));
      // Its record was added, but not the time of its deletion.
      if (file !== null && file.expiresAt > Date.now()) await this.#deleteAt(name, file.expiresAt);
      else if (await this.#isRead(name)) await this.#deleteAt(name, Date.now() + LOOK_AGAIN_MS);
      else await this.remove(name);
    }
  }

  async #read(tenant: string, ids: readonly string[]): Promise<StoredFile[]> {
    if (ids.length === 0) return [];
    const records = await this.#redis.mGet(ids.map((fileId) => recordKey({ tenant, fileId })));
    return records.map(parse).filter((file) => file !== null);
  }

  async #deleteAt(name: FileName, atMs: number): Promise<void> {
    await this.#redis.zAdd(REDIS_KEYS.filesDue, { score: atMs, value: memberOf(name) });
  }
}

/** Where the bytes of a file are. */
export function objectKeyOf({ tenant, fileId }: FileName): string {
  return `${OBJECT_FOLDERS.files}/${keyPart(tenant)}/${keyPart(fileId)}`;
}

function memberOf({ tenant, fileId }: FileName): string {
  return JSON.stringify([tenant, fileId]);
}

function recordKey({ tenant, fileId }: FileName): string {
  return REDIS_KEYS.files(tenant, 'file', fileId);
}

function listKey(tenant: string, user: string | null): string {
  return user === null ? REDIS_KEYS.files(tenant, 'all') : REDIS_KEYS.files(tenant, 'user', user);
}

function keysOf(file: StoredFile): string[] {
  const { tenant, user } = file;
  return [recordKey(file), REDIS_KEYS.files(tenant, 'bytes'), listKey(tenant, null), listKey(tenant, user)];
}

function parse(record: string | null): StoredFile | null {
  return record === null ? null : recordSchema.parse(JSON.parse(record));
}
