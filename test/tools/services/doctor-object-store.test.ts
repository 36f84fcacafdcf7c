import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { FolderObjectStore } from '../../../platform/object-store/folder-object-store.ts';
import { checkObjectStore } from '../../../tools/services/doctor/check-object-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-doctor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the doctor writes, reads and deletes one object, and leaves nothing behind', async () => {
  expect(await checkObjectStore({ objectStore: undefined })).toEqual([]);
  expect(await checkObjectStore({ objectStore: { folder } })).toMatchObject([
    { check: 'object store', status: 'ok' },
  ]);
  expect((await (await FolderObjectStore.open(folder)).list('')).objects).toEqual([]);
});

test('the doctor says what to do about an object store that cannot be written', async () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const [inFile] = await checkObjectStore({ objectStore: { folder: join(file, 'objects') } });
  expect(inFile).toMatchObject({ status: 'error', fix: expect.stringContaining('objectStore.folder') });
  const s3 = {
    bucket: 'no-bucket',
    region: 'r',
    endpoint: 'http://127.0.0.1:9',
    pathStyle: true,
    prefix: '',
  };
  const [inBucket] = await checkObjectStore({ objectStore: { s3 } });
  expect(inBucket).toMatchObject({ status: 'error', fix: expect.stringContaining('AWS_ACCESS_KEY_ID') });
});
