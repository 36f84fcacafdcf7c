/** Files in a folder and a real Redis: whose they are, how much they may take, and that none is left behind. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { REDIS_KEYS } from '../../../contracts/names.ts';
import type { StoredFile } from '../../../engine/files/file-store.ts';
import { RedisFileStore } from '../../../engine/files/redis-file-store.ts';
import { FolderObjectStore } from '../../../platform/object-store/folder-object-store.ts';
import type { RedisConnection } from '../../../platform/redis/redis-connection.ts';
import { startTestRedis, type TestRedis } from '../streaming/redis-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-files-'));
let server: TestRedis;
let redis: RedisConnection;
let store: FolderObjectStore;
let files: RedisFileStore;
beforeAll(async () => {
  server = await startTestRedis();
  redis = await server.connect();
  store = await FolderObjectStore.open(folder);
  files = new RedisFileStore(redis, store, { bytesPerTenant: 10, isRead });
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The files that batches read. */
const readFiles = new Set<string>();
const isRead = async ({ fileId }: Pick<StoredFile, 'fileId'>) => readFiles.has(fileId);

let made = 0;
function fileOf(facts: Partial<StoredFile> = {}): StoredFile {
  made += 1;
  const createdAt = Date.now();
  return {
    tenant: 'acme',
    user: 'ann',
    fileId: `file-${made}`,
    filename: 'lines.jsonl',
    purpose: 'batch',
    bytes: 4,
    createdAt,
    expiresAt: createdAt + 60_000,
    ...facts,
  };
}

async function* bodyOf(text = 'text'): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function put(file: StoredFile): Promise<StoredFile> {
  await files.upload(file, bodyOf());
  await files.add(file);
  return file;
}

const objectsOf = (tenant: string) =>
  readdirSync(join(folder, 'files'), { recursive: true }).filter((name) =>
    String(name).startsWith(`${tenant}/`),
  );

test('a file is read by its tenant alone, and is gone with its bytes when it is removed', async () => {
  const file = await put(fileOf({ tenant: 'one' }));
  expect(await files.find(file)).toEqual(file);
  expect(await files.find({ ...file, tenant: 'two' })).toBeNull();
  const download = await files.download(file);
  expect(download?.bytes).toBe(4);
  download?.body.destroy();
  await files.remove(file);
  expect(await files.find(file)).toBeNull();
  expect(await files.download(file)).toBeNull();
});

test('a tenant has no more bytes than it may; a file that does not fit leaves none, and a result is kept', async () => {
  const tenant = 'full';
  const [first, second, third] = [fileOf({ tenant }), fileOf({ tenant }), fileOf({ tenant })];
  await put(first);
  await put(second);
  await put(second);
  await expect(put(third)).rejects.toMatchObject({ code: 'storage_exceeded' });
  expect(objectsOf(tenant)).toHaveLength(2);
  const result = fileOf({ tenant });
  await files.upload(result, bodyOf());
  await files.add(result, { mayExceed: true });
  expect(await files.find(result)).toEqual(result);
  for (const file of [first, second, result]) await files.remove(file);
  await put(third);
});

test('what has expired, or was never completed, is deleted; what a later call needs is not', async () => {
  const tenant = 'expiry';
  const bytes = 1;
  const kept = await put(fileOf({ tenant, bytes }));
  const expired = await put(fileOf({ tenant, bytes, expiresAt: Date.now() - 1 }));
  expect(await files.find(expired)).toBeNull();
  const unfinished = fileOf({ tenant, bytes });
  await files.upload(unfinished, bodyOf(), { keptMs: -1 });
  // As if the process had died before it noted the new time.
  const resumed = fileOf({ tenant, bytes });
  await files.add(resumed);
  await files.upload(resumed, bodyOf(), { keptMs: -1 });
  await files.removeExpired();
  expect(objectsOf(tenant).sort()).toEqual([kept, resumed].map(({ fileId }) => `${tenant}/${fileId}`).sort());
  expect(await files.find(kept)).toEqual(kept);
  expect(await files.find(resumed)).toEqual(resumed);
});

test('a file that expires while a batch reads it is found no more, and deleted once the batch has ended', async () => {
  const file = await put(fileOf({ tenant: 'read', expiresAt: Date.now() - 1 }));
  readFiles.add(file.fileId);
  const dueAt = () => redis.zScore(REDIS_KEYS.filesDue, JSON.stringify([file.tenant, file.fileId]));
  await files.removeExpired();
  expect([await files.find(file), objectsOf('read')]).toEqual([null, [`read/${file.fileId}`]]);
  // It is looked at again later, and does not stand before others until then.
  expect(await dueAt()).toBeGreaterThan(Date.now());
  readFiles.delete(file.fileId);
  await redis.zAdd(REDIS_KEYS.filesDue, { score: 1, value: JSON.stringify([file.tenant, file.fileId]) });
  await files.removeExpired();
  expect([objectsOf('read'), await dueAt()]).toEqual([[], null]);
});

test('lists are of a user or a tenant, in both orders, page by page, and by purpose', async () => {
  const tenant = 'lists';
  const unlimited = new RedisFileStore(redis, store, { bytesPerTenant: null, isRead });
  // Two of one moment, which no score tells apart.
  const times = [3, 1, 2, 2, 5];
  const all = times.map((at) => fileOf({ tenant, user: at === 5 ? 'eve' : 'ann', createdAt: at }));
  for (const file of all) await unlimited.add(file);
  await unlimited.add(fileOf({ tenant, purpose: 'batch_output', createdAt: 4 }));
  const pageThrough = async (order: 'asc' | 'desc', user: string | null) => {
    const seen: StoredFile[] = [];
    for (;;) {
      const { files: page, hasMore } = await unlimited.list(
        { tenant, user },
        { limit: 2, after: seen.at(-1) ?? null, order, purpose: 'batch' },
      );
      seen.push(...page);
      if (!hasMore) return seen;
    }
  };
  const down = await pageThrough('desc', null);
  expect(down.map(({ createdAt }) => createdAt)).toEqual([5, 3, 2, 2, 1]);
  expect(new Set(down.map(({ fileId }) => fileId)).size).toBe(5);
  expect((await pageThrough('asc', 'ann')).map(({ createdAt }) => createdAt)).toEqual([1, 2, 2, 3]);
});

test('a file expires when it was last said to, and one that is gone does not come back', async () => {
  const file = await put(fileOf({ tenant: 'later', expiresAt: Date.now() - 1 }));
  const later = Date.now() + 60_000;
  await files.setExpiry(file, later);
  await files.removeExpired();
  expect(await files.find(file)).toEqual({ ...file, expiresAt: later });
  await files.setExpiry(file, Date.now());
  expect(await files.find(file)).toBeNull();
  await files.removeExpired();
  expect(objectsOf('later')).toEqual([]);
  await files.setExpiry(file, later);
  expect(await files.find(file)).toBeNull();
});
