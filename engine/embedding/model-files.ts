/**
 * Reads the files of our models. Their SHA-256 is beside them, in `sha256.json`: a file that a download or a disk has
 * changed would decide wrongly and fail nowhere.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const hashesSchema = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/));

/**
 * @param folder ends with a slash.
 * @throws Error with the fix if the file is missing or is not the one that was committed.
 */
export function readModelFile(folder: URL, name: string): Uint8Array<ArrayBuffer> {
  const hashes = hashesSchema.parse(JSON.parse(readFileSync(new URL('sha256.json', folder), 'utf8')));
  // A copy: a small file would be a part of Node's shared buffer.
  const bytes = new Uint8Array(readFileSync(new URL(name, folder)));
  if (createHash('sha256').update(bytes).digest('hex') !== hashes[name]) {
    throw new Error(
      `The model file ${name} is damaged: its SHA-256 is not the expected one. Install it again.`,
    );
  }
  return bytes;
}

export function readModelJson(folder: URL, name: string): unknown {
  return JSON.parse(new TextDecoder().decode(readModelFile(folder, name)));
}
