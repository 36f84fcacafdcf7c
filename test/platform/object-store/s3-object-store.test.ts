import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createObjectStore } from '../../../platform/object-store/create-object-store.ts';
import { startS3Server } from '../../harness/s3-server.ts';
import { testObjectStore } from './object-store-contract.ts';

let server: Awaited<ReturnType<typeof startS3Server>> | undefined;
beforeAll(async () => {
  server = await startS3Server();
  Object.assign(process.env, server.credentials);
});
afterAll(() => server?.stop());

async function open(changed: { readonly bucket?: string } = {}) {
  if (server === undefined) throw new Error('The server has not started.');
  const store = await createObjectStore({ s3: { ...server.settings, ...changed } });
  if (store === null) throw new Error('The config names a store.');
  return store;
}

testObjectStore("a server of S3's protocol", async () => {
  const store = await open();
  return { store, stop: async () => store.close() };
});

test('a bucket that does not exist is an error, not a missing object', async () => {
  const store = await open({ bucket: 'no-such-bucket' });
  await expect(store.get('a/b')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  store.close();
});
