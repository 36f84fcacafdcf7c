/** OpenAI's files: each belongs to the account of its key. Source: OpenAI API reference, "Files". */
import { randomBytes } from 'node:crypto';
import type { BatchRecords } from './batch-records.ts';

export interface StoredFile {
  readonly id: string;
  readonly apiKey: string;
  readonly filename: string;
  readonly purpose: string;
  readonly content: Buffer;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
}

export class StoredFiles {
  readonly #files = new Map<string, StoredFile>();
  /** A batch reads its input although it was deleted meanwhile. */
  readonly #deleted = new Set<string>();
  readonly #records: BatchRecords;

  constructor(records: BatchRecords) {
    this.#records = records;
    for (const record of records.earlier) {
      if (record.of === 'deleted-file') this.#deleted.add(record.id);
      if (record.of !== 'file') continue;
      const { base64, ...file } = record.file;
      this.#files.set(file.id, { ...file, content: Buffer.from(base64, 'base64') });
    }
  }

  add(file: Omit<StoredFile, 'id' | 'createdAtMs'>): StoredFile {
    const id = `file-${randomBytes(12).toString('hex')}`;
    const stored = { ...file, id, createdAtMs: Date.now() };
    this.#files.set(id, stored);
    const { content, ...facts } = stored;
    this.#records.add({ of: 'file', file: { ...facts, base64: content.toString('base64') } });
    return stored;
  }

  /** Also one that was deleted. */
  get(id: string): StoredFile | undefined {
    return this.#files.get(id);
  }

  find(apiKey: string, id: string): StoredFile | undefined {
    const file = this.#files.get(id);
    const isExpired = (file?.expiresAtMs ?? Number.POSITIVE_INFINITY) < Date.now();
    return file?.apiKey === apiKey && !isExpired && !this.#deleted.has(id) ? file : undefined;
  }

  delete(apiKey: string, id: string): boolean {
    if (this.find(apiKey, id) === undefined) return false;
    this.#deleted.add(id);
    this.#records.add({ of: 'deleted-file', id });
    return true;
  }

  /** Oldest first. */
  of(apiKey: string): readonly StoredFile[] {
    return [...this.#files.values()].filter(({ id }) => this.find(apiKey, id) !== undefined);
  }
}

export function fileObject({ id, filename, purpose, content, createdAtMs, expiresAtMs }: StoredFile): {
  readonly id: string;
} {
  const object = {
    id,
    object: 'file',
    bytes: content.length,
    created_at: seconds(createdAtMs),
    expires_at: expiresAtMs === null ? null : seconds(expiresAtMs),
    filename,
    purpose,
    status: 'processed',
    status_details: null,
  };
  return object;
}

export function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
