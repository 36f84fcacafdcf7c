/** The object store that the config names. */
import { isAbsolute, resolve } from 'node:path';
import type { ObjectStoreConfig } from '../config/object-store-schema.ts';
import { FolderObjectStore } from './folder-object-store.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Where files are. Without one in the config it is a folder of this machine, which is enough as long as the API and all
 * workers run there.
 */
export async function createFileStore(
  config: ObjectStoreConfig | undefined,
  dataDir: string,
): Promise<ObjectStore> {
  return (await createObjectStore(config)) ?? FolderObjectStore.open(resolve(dataDir, 'objects'));
}

/** @returns null if the config names none. */
export async function createObjectStore(config: ObjectStoreConfig | undefined): Promise<ObjectStore | null> {
  if (config === undefined) return null;
  if ('folder' in config) {
    return FolderObjectStore.open(isAbsolute(config.folder) ? config.folder : resolve(config.folder));
  }
  // The client of S3 is large; only those who use it load it.
  const { S3ObjectStore } = await import('./s3-object-store.ts');
  return new S3ObjectStore(config.s3);
}
