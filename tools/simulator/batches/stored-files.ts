/** OpenAI's files: each belongs to the account of its key. Source: OpenAI API reference, "Files". */
import { randomBytes } from 'node:crypto';

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

  add(file: Omit<StoredFile, 'id' | 'createdAtMs'>): StoredFile {
    const id = `file-${randomBytes(12).toString('hex')}`;
    const stored = { ...file, id, createdAtMs: Date.now() };
    this.#files.set(id, stored);
    return stored;
  }

  find(apiKey: string, id: string): StoredFile | undefined {
    const file = this.#files.get(id);
    const isExpired = (file?.expiresAtMs ?? Number.POSITIVE_INFINITY) < Date.now();
    return file?.apiKey === apiKey && !isExpired ? file : undefined;
  }

  delete(apiKey: string, id: string): boolean {
    return this.find(apiKey, id) !== undefined && this.#files.delete(id);
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
