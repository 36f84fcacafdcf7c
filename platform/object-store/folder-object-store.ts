/**
 * Objects as files of a local folder, for one machine. An object is written beside the others, flushed to the disk, and
 * then renamed, so a crash leaves a file that no key names; the next start removes it.
 */
import { randomUUID } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DAY_MS } from '../../contracts/time.ts';
import {
  type ByteRange,
  checkedKey,
  checkedPrefix,
  limitedBody,
  type ObjectDownload,
  type ObjectStore,
  type PageOptions,
  pageSize,
  type StoredObject,
  type UploadOptions,
} from './object-store.ts';

/** No key begins with a dot. */
const UNFINISHED = '.unfinished';
/** An older one belongs to a process that has died. */
const UNFINISHED_KEPT_MS = DAY_MS;
/** Another process may remove an empty folder between its creation and its use. */
const RENAME_ATTEMPTS = 20;

export class FolderObjectStore implements ObjectStore {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async open(root: string): Promise<FolderObjectStore> {
    const unfinished = join(root, UNFINISHED);
    await mkdir(unfinished, { recursive: true });
    for (const name of await readdir(unfinished)) {
      const path = join(unfinished, name);
      const found = await ifThere(stat(path));
      if (found !== null && Date.now() - found.mtimeMs > UNFINISHED_KEPT_MS) await rm(path, { force: true });
    }
    return new FolderObjectStore(root);
  }

  async put(key: string, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.upload(key, oneChunk(body), signal === undefined ? {} : { signal });
  }

  async upload(key: string, body: AsyncIterable<Uint8Array>, options: UploadOptions = {}): Promise<number> {
    const path = this.#pathOf(key);
    const unfinished = join(this.#root, UNFINISHED, randomUUID());
    let bytes = 0;
    try {
      const file = await open(unfinished, 'wx');
      // The stream closes the file; `flush` syncs it first.
      const chunks = limitedBody(body, options, (count) => {
        bytes = count;
      });
      const { signal } = options;
      await pipeline(chunks, file.createWriteStream({ flush: true }), signal === undefined ? {} : { signal });
      await moveTo(path, unfinished);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    return bytes;
  }

  async get(key: string): Promise<Uint8Array | null> {
    const file = await ifThere(open(this.#pathOf(key)));
    if (file === null) return null;
    try {
      return await file.readFile();
    } finally {
      await file.close();
    }
  }

  async download(key: string, range: ByteRange = { from: 0 }): Promise<ObjectDownload | null> {
    const file = await ifThere(open(this.#pathOf(key)));
    if (file === null) return null;
    try {
      const { size } = await file.stat();
      const end = Math.min(range.until ?? size - 1, size - 1);
      const bytes = Math.max(0, end - range.from + 1);
      if (bytes > 0) return { bytes, body: file.createReadStream({ start: range.from, end }) };
      const empty = file.createReadStream({ start: size });
      return { bytes, body: empty };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async list(prefix: string, options: PageOptions = {}) {
    const limit = pageSize(options);
    const objects: StoredObject[] = [];
    for await (const key of this.#keys('', checkedPrefix(prefix), options.after ?? '')) {
      const last = objects.at(-1);
      if (objects.length === limit && last !== undefined) return { objects, next: last.key };
      const found = await ifThere(stat(join(this.#root, key)));
      if (found !== null) objects.push({ key, bytes: found.size, writtenAtMs: found.mtimeMs });
    }
    return { objects, next: null };
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const path = this.#pathOf(key);
      await rm(path, { force: true });
      await this.#removeEmptyFolders(dirname(path));
    }
  }

  close(): void {
    // Each file is closed by its own call.
  }

  /** The keys below a folder, in order, without entering folders that hold none of those that are asked for. */
  async *#keys(folder: string, prefix: string, after: string): AsyncGenerator<string> {
    const found = (await ifThere(readdir(join(this.#root, folder), { withFileTypes: true }))) ?? [];
    const names = found.filter(({ name }) => !name.startsWith('.')).map(nameInOrder);
    for (const name of names.sort(byBytes)) {
      const key = `${folder}${name}`;
      if (!key.startsWith(prefix) && !prefix.startsWith(key)) continue;
      if (!name.endsWith('/')) {
        if (key.startsWith(prefix) && byBytes(key, after) > 0) yield key;
      } else if (byBytes(key, after) > 0 || after.startsWith(key)) {
        yield* this.#keys(key, prefix, after);
      }
    }
  }

  async #removeEmptyFolders(folder: string): Promise<void> {
    for (let path = folder; path.length > this.#root.length; path = dirname(path)) {
      try {
        await rmdir(path);
      } catch (error) {
        if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) return;
        if (!hasCode(error, 'ENOENT')) throw error;
      }
    }
  }

  #pathOf(key: string): string {
    return join(this.#root, checkedKey(key));
  }
}

/** Renames the file, and syncs its folder: a rename that only the kernel knows is lost with the power. */
async function moveTo(path: string, from: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await mkdir(dirname(path), { recursive: true });
      await rename(from, path);
      const folder = await open(dirname(path));
      await folder.sync().finally(() => folder.close());
      return;
    } catch (error) {
      // Another deletion removed the folder meanwhile; mkdir may call that ENOTDIR.
      const isRemoved = hasCode(error, 'ENOENT', 'ENOTDIR');
      if (!isRemoved || attempt === RENAME_ATTEMPTS) throw error;
    }
  }
}

async function* oneChunk(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

/** A folder sorts where the keys in it sort. */
function nameInOrder(entry: Dirent): string {
  return entry.isDirectory() ? `${entry.name}/` : entry.name;
}

/** Keys are ASCII, so code units are bytes. */
function byBytes(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** null for a file that does not exist, or whose key is the folder of others. */
async function ifThere<Found>(reading: Promise<Found>): Promise<Found | null> {
  try {
    return await reading;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return codes.some((code) => error.code === code);
}
