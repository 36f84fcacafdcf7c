/** Objects in a bucket of Amazon S3, or of a store that speaks its protocol. */

import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import {
  type ByteRange,
  checkedKey,
  checkedPrefix,
  limitedBody,
  type ObjectDownload,
  type ObjectStore,
  type PageOptions,
  pageSize,
  type UploadOptions,
} from './object-store.ts';

const CONNECT_MS = 5_000;
/** A connection that is silent for longer, or whose reader stops for longer, is closed. */
const SILENCE_MS = 60_000;
/** A download holds its connection until it is read. */
const CONNECTIONS = 256;
const ATTEMPTS = 3;
/** Parts of an upload: at most so many of this size are in memory. S3 takes no smaller ones. */
const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
const DELETIONS_AT_ONCE = 16;

export interface S3Settings {
  readonly bucket: string;
  readonly region: string;
  /** Of a store that is not Amazon's. */
  readonly endpoint?: string | undefined;
  /** Names before every key, such as `unbroken/`. */
  readonly prefix: string;
  /** The bucket in the path instead of the host name, as most other stores need. */
  readonly pathStyle: boolean;
}

export class S3ObjectStore implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  /** Credentials come from where Amazon's tools find them: environment, profile, or the role of the machine. */
  constructor({ bucket, region, endpoint, prefix, pathStyle }: S3Settings) {
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#client = new S3Client({
      region,
      forcePathStyle: pathStyle,
      ...(endpoint === undefined ? {} : { endpoint }),
      maxAttempts: ATTEMPTS,
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        socketTimeout: SILENCE_MS,
        httpAgent: { maxSockets: CONNECTIONS, keepAlive: true },
        httpsAgent: { maxSockets: CONNECTIONS, keepAlive: true },
      },
      // The newer default sends checksums in a way that several other stores refuse.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
  }

  async put(key: string, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    const command = new PutObjectCommand({ ...this.#place(key), Body: body });
    await this.#client.send(command, signal === undefined ? {} : { abortSignal: signal });
  }

  async upload(key: string, body: AsyncIterable<Uint8Array>, options: UploadOptions = {}): Promise<number> {
    let bytes = 0;
    const chunks = limitedBody(body, options, (count) => {
      bytes = count;
    });
    const upload = new Upload({
      client: this.#client,
      params: { ...this.#place(key), Body: Readable.from(chunks, { objectMode: false }) },
      partSize: PART_BYTES,
      queueSize: PARTS_AT_ONCE,
    });
    const abort = () => void upload.abort();
    options.signal?.throwIfAborted();
    options.signal?.addEventListener('abort', abort, { once: true });
    try {
      await upload.done();
    } finally {
      options.signal?.removeEventListener('abort', abort);
    }
    return bytes;
  }

  async get(key: string): Promise<Uint8Array | null> {
    const found = await this.#getObject(key);
    return found === null ? null : found.transformToByteArray();
  }

  async download(key: string, range?: ByteRange): Promise<ObjectDownload | null> {
    const bytes = range === undefined ? undefined : `bytes=${range.from}-${range.until ?? ''}`;
    try {
      const found = await this.#client.send(new GetObjectCommand({ ...this.#place(key), Range: bytes }));
      if (!(found.Body instanceof Readable)) throw new Error(`S3 sent no body for ${key}.`);
      return { bytes: found.ContentLength ?? 0, body: found.Body };
    } catch (error) {
      if (isMissing(error)) return null;
      // A range behind the end of the object.
      if (statusOf(error) === 416) return { bytes: 0, body: Readable.from([]) };
      throw error;
    }
  }

  async list(prefix: string, options: PageOptions = {}) {
    const limit = pageSize(options);
    const { Contents = [], NextContinuationToken } = await this.#client.send(
      new ListObjectsV2Command({
        Bucket: this.#bucket,
        Prefix: `${this.#prefix}${checkedPrefix(prefix)}`,
        MaxKeys: limit,
        ContinuationToken: options.after,
      }),
    );
    const objects = Contents.map(({ Key = '', Size = 0, LastModified }) => ({
      key: Key.slice(this.#prefix.length),
      bytes: Size,
      writtenAtMs: LastModified?.getTime() ?? 0,
    }));
    return { objects, next: NextContinuationToken ?? null };
  }

  /** One request for each: not every store has the request that deletes many. */
  async delete(keys: readonly string[]): Promise<void> {
    for (let first = 0; first < keys.length; first += DELETIONS_AT_ONCE) {
      await Promise.all(
        keys
          .slice(first, first + DELETIONS_AT_ONCE)
          .map((key) => this.#client.send(new DeleteObjectCommand(this.#place(key)))),
      );
    }
  }

  close(): void {
    this.#client.destroy();
  }

  async #getObject(key: string) {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#place(key)));
      return Body ?? null;
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  #place(key: string) {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${checkedKey(key)}` };
  }
}

/** A bucket that does not exist is a mistake in the settings, not a missing object. */
function isMissing(error: unknown): boolean {
  if (error instanceof NoSuchKey) return true;
  return statusOf(error) === 404 && error instanceof Error && error.name !== 'NoSuchBucket';
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}
