/** Checks the object store, if the config names one: an object can be written, read, listed and deleted. */
import { randomUUID } from 'node:crypto';
import type { Config } from '../../../platform/config/load-config.ts';
import { createObjectStore } from '../../../platform/object-store/create-object-store.ts';
import { error, type Finding, ok, wordsOf } from './finding.ts';

export async function checkObjectStore({ objectStore }: Pick<Config, 'objectStore'>): Promise<Finding[]> {
  if (objectStore === undefined) return [];
  const place = 'folder' in objectStore ? objectStore.folder : `the bucket ${objectStore.s3.bucket}`;
  const key = `doctor/${randomUUID()}`;
  try {
    const store = await createObjectStore(objectStore);
    if (store === null) return [];
    try {
      await store.put(key, Buffer.from(key));
      const [read, listed] = await Promise.all([store.get(key), store.list('doctor/')]);
      await store.delete([key]);
      const isSame = Buffer.from(read ?? []).toString() === key;
      const isListed = listed.objects.some((object) => object.key === key);
      if (!isSame || !isListed) throw new Error('an object that was written is not found');
    } finally {
      store.close();
    }
    return [ok('object store', `writes, reads, lists and deletes in ${place}`)];
  } catch (problem) {
    const fix =
      'folder' in objectStore
        ? 'Create the folder of objectStore.folder, and let the user of the processes write in it.'
        : 'Correct objectStore.s3, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role that may use the bucket.';
    return [error('object store', `${place}: ${wordsOf(problem)}`, fix)];
  }
}
