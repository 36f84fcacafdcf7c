import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { answeringStore } from '../../../api/batches/answering-store.ts';
import { toPublicError } from '../../../api/http/to-public-error.ts';
import { FolderObjectStore } from '../../../platform/object-store/folder-object-store.ts';
import { type ObjectStore, ObjectTooLarge } from '../../../platform/object-store/object-store.ts';
import { S3ObjectStore } from '../../../platform/object-store/s3-object-store.ts';
import { findFreePort } from '../../../tools/services/ports.ts';

const credentials = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' };
const folder = mkdtempSync(join(tmpdir(), 'unbroken-store-'));
let away: ObjectStore;
beforeAll(async () => {
  Object.assign(process.env, credentials);
  const endpoint = `http://127.0.0.1:${await findFreePort()}`;
  const settings = { bucket: 'files', region: 'us-east-1', prefix: '', pathStyle: true, endpoint };
  away = answeringStore(new S3ObjectStore(settings));
});
afterAll(() => {
  away.close();
  for (const name of Object.keys(credentials)) delete process.env[name];
  rmSync(folder, { recursive: true, force: true });
});

async function* bodyOf(...texts: readonly (string | Error)[]) {
  for (const text of texts) {
    if (typeof text !== 'string') throw text;
    yield Buffer.from(text);
  }
}

test.each<[string, () => Promise<unknown>]>([
  ['an upload', () => away.upload('files/a', bodyOf('text'))],
  ['a download', () => away.download('files/a')],
  ['a deletion', () => away.delete(['files/a'])],
])('%s that cannot reach its store says so, and may be repeated', async (_what, use) => {
  const error = toPublicError(await use().catch((error: unknown) => error));
  expect(error).toMatchObject({
    code: 'service_unavailable',
    message: expect.stringContaining('object store'),
  });
});

test('faults of a request stay what they are, and all else is as in the store', async () => {
  const store = answeringStore(await FolderObjectStore.open(folder));
  const cut = new Error('the client is gone');
  await expect(store.upload('files/a', bodyOf('te', cut))).rejects.toBe(cut);
  await expect(store.upload('files/a', bodyOf('text'), { atMostBytes: 3 })).rejects.toThrow(ObjectTooLarge);
  expect(await store.download('files/a')).toBeNull();
  expect(await store.upload('files/a', bodyOf('te', 'xt'))).toBe(4);
  expect(String(await store.get('files/a'))).toBe('text');
  await store.delete(['files/a']);
  expect(await store.get('files/a')).toBeNull();
});
