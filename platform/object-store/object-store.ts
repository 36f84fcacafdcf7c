/**
 * The port to what is kept outside Redis and only read from time to time: archived logs, old entries of the ledger,
 * files. A write is atomic: a reader gets the whole object, the one before it, or none.
 *
 * A key is one or more names of `[A-Za-z0-9._~=-]`, joined by `/`; `keyPart` makes a name of any text. No key may be
 * the folder of another one: a folder on disk cannot hold both.
 */
import { createHash } from 'node:crypto';

export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
  readonly writtenAtMs: number;
}

interface ObjectPage {
  /** Those of one folder in the order of their bytes; how a folder sorts among its neighbours, each store decides. */
  readonly objects: readonly StoredObject[];
  /** `after` of the next page, which only this store can read; null at the end. */
  readonly next: string | null;
}

export interface ObjectDownload {
  /** Of this download, not of the whole object. */
  readonly bytes: number;
  /** Read it to its end or destroy it; until then it holds a connection or a file. */
  readonly body: AsyncIterable<Uint8Array> & { destroy(error?: Error): unknown };
}

export interface ByteRange {
  readonly from: number;
  /** Inclusive; the end of the object if absent. */
  readonly until?: number;
}

export interface UploadOptions {
  /** Rejects with `ObjectTooLarge` as soon as the body has more. */
  readonly atMostBytes?: number;
  readonly signal?: AbortSignal;
}

export interface PageOptions {
  /** `next` of the page before. */
  readonly after?: string;
  readonly limit?: number;
}

export interface ObjectStore {
  /** Writes a small object; replaces one of the same key. */
  put(key: string, body: Uint8Array, signal?: AbortSignal): Promise<void>;
  /**
   * Writes what the body yields, without holding more than a few parts of it. If the body or the upload fails, or the
   * process dies, the key keeps what it had. @returns the bytes of the object
   */
  upload(key: string, body: AsyncIterable<Uint8Array>, options?: UploadOptions): Promise<number>;
  /** A small object as a whole; null if there is none. */
  get(key: string): Promise<Uint8Array | null>;
  /** Reads an object, or a range of its bytes, as a stream; null if there is none. */
  download(key: string, range?: ByteRange): Promise<ObjectDownload | null>;
  /** A page of the objects whose keys begin with the prefix. */
  list(prefix: string, options?: PageOptions): Promise<ObjectPage>;
  /** Deletes what is there of these; a key without an object is no error. */
  delete(keys: readonly string[]): Promise<void>;
  /** Closes its connections. */
  close(): void;
}

/** The body of an upload has more bytes than it may have. */
export class ObjectTooLarge extends Error {
  override readonly name = 'ObjectTooLarge';
  readonly atMostBytes: number;

  constructor(atMostBytes: number) {
    super(`The object has more than ${atMostBytes} bytes.`);
    this.atMostBytes = atMostBytes;
  }
}

/** Objects of one page of a list. S3 returns no more. */
const OBJECTS_PER_PAGE = 1_000;
const KEY_BYTES = 900;
/** Longer names are no names of files. */
const NAME_CHARS = 200;
const NAME = /^[A-Za-z0-9_~=-][A-Za-z0-9._~=-]*$/;

export function pageSize({ limit = OBJECTS_PER_PAGE }: PageOptions): number {
  return Math.min(limit, OBJECTS_PER_PAGE);
}

/** @throws Error for a key that is none: keys are made by our own code. */
export function checkedKey(key: string): string {
  const isKey =
    key.length <= KEY_BYTES && key.split('/').every((name) => name.length <= NAME_CHARS && NAME.test(name));
  if (!isKey) throw new Error(`"${key}" is not a key of an object.`);
  return key;
}

/** A prefix of keys: whole names, and perhaps the beginning of one; empty for all. */
export function checkedPrefix(prefix: string): string {
  if (prefix !== '') checkedKey(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix);
  return prefix;
}

/** Any text as one name of a key: different texts give different names. A long text is replaced by its hash. */
export function keyPart(text: string): string {
  const encoded = text
    .toWellFormed()
    .replaceAll(/[^A-Za-z0-9_-]/gu, (char) =>
      [...Buffer.from(char)].map((byte) => `~${byte.toString(16).padStart(2, '0')}`).join(''),
    );
  if (encoded !== '' && encoded.length <= NAME_CHARS / 2) return encoded;
  return `=${createHash('sha256').update(text.toWellFormed()).digest('hex')}`;
}

/** Passes a body on, and ends it with an error once it is too large. */
export async function* limitedBody(
  body: AsyncIterable<Uint8Array>,
  { atMostBytes = Number.POSITIVE_INFINITY }: Pick<UploadOptions, 'atMostBytes'>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > atMostBytes) throw new ObjectTooLarge(atMostBytes);
    onBytes(bytes);
    yield chunk;
  }
}
