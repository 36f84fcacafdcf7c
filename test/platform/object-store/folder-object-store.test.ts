import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { createObjectStore } from '../../../platform/object-store/create-object-store.ts';
import { testObjectStore } from './object-store-contract.ts';

const folder = mkdtempSync(join(tmpdir(), 'unbroken-objects-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

testObjectStore('a folder', async () => ({ store: await open(folder), stop: async () => undefined }));

test('what a killed process left half written is under no key, and the next start removes it once it is old', async () => {
  const root = join(folder, 'crashed');
  const store = await open(root);
  const unfinished = join(root, '.unfinished');
  mkdirSync(unfinished, { recursive: true });
  for (const name of ['old', 'new']) writeFileSync(join(unfinished, name), 'half');
  utimesSync(join(unfinished, 'old'), 1, 1);
  expect((await store.list('')).objects).toEqual([]);
  await open(root);
  expect(readdirSync(unfinished)).toEqual(['new']);
});

test('a deleted object leaves no empty folders behind', async () => {
  const store = await open(join(folder, 'empty'));
  await store.put('a/b/c', Buffer.from('x'));
  await store.put('a/d', Buffer.from('x'));
  await store.delete(['a/b/c']);
  expect(readdirSync(join(folder, 'empty', 'a'))).toEqual(['d']);
});

async function open(root: string) {
  const store = await createObjectStore({ folder: root });
  if (store === null) throw new Error('The config names a store.');
  return store;
}
