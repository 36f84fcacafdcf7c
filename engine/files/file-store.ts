/** The port to the files that users upload, and that batches write. A file is its bytes and a record of them. */
import type { ObjectDownload, UploadOptions } from '../../platform/object-store/object-store.ts';

interface FileOwner {
  readonly tenant: string;
  readonly user: string;
}

export interface StoredFile extends FileOwner {
  readonly fileId: string;
  readonly filename: string;
  readonly purpose: 'batch' | 'batch_output';
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface FilePage {
  readonly limit: number;
  /** The last file of the page before. */
  readonly after: StoredFile | null;
  readonly order: 'asc' | 'desc';
  /** Absent: every purpose. */
  readonly purpose?: StoredFile['purpose'] | undefined;
}

export interface FileStore {
  /**
   * Writes the bytes. Without `add`, they are deleted a day later. @returns how many
   * @param options `keptMs`: another time than a day.
   */
  upload(
    file: FileName,
    body: AsyncIterable<Uint8Array>,
    options?: UploadOptions & { readonly keptMs?: number },
  ): Promise<number>;
  /**
   * Adds the record, once. @throws storage_exceeded
   * @param mayExceed the file is kept even if its tenant has too many bytes, because it is a result.
   */
  add(file: StoredFile, options?: { readonly mayExceed?: boolean }): Promise<void>;
  /** null if there is none of this tenant, or it has expired. */
  find(name: FileName): Promise<StoredFile | null>;
  /** @param user null: of all users of the tenant. */
  list(
    owner: { readonly tenant: string; readonly user: string | null },
    page: FilePage,
  ): Promise<{ readonly files: readonly StoredFile[]; readonly hasMore: boolean }>;
  /** Deletes it at another time, in ms since 1970; a file that is gone stays so. */
  setExpiry(name: FileName, expiresAt: number): Promise<void>;
  download(name: FileName): Promise<ObjectDownload | null>;
  /** Deletes record and bytes. */
  remove(name: FileName): Promise<void>;
  /** Deletes what has expired, of any tenant: some of it, so that a caller need not wait long. */
  removeExpired(): Promise<void>;
}

export interface FileName {
  readonly tenant: string;
  readonly fileId: string;
}
