/** Reads the form of an upload as it arrives, and passes its file on without holding it. */
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Busboy } from '@fastify/busboy';
import type { Request } from 'express';
import { z } from 'zod';
import { BATCH_LIMITS } from '../../../contracts/batch-limits.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import type { StoredFile } from '../../../engine/files/file-store.ts';
import { ObjectTooLarge } from '../../../platform/object-store/object-store.ts';
import type { Caller } from '../../access/api-keys.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { allowLongUpload } from '../../http/long-uploads.ts';
import { parseWith } from '../../http/read-request.ts';

type Uploading = Pick<ApiDependencies, 'bodies' | 'config' | 'files'>;

const FIELD_BYTES = 1_024;
const MOST_FIELDS = 16;

const seconds = z.coerce
  .number()
  .int()
  .min(BATCH_LIMITS.leastFileMs / 1_000)
  .max(BATCH_LIMITS.longestFileMs / 1_000);

export const uploadFieldsSchema = z.object({
  purpose: z.literal('batch', 'the files here are those of batches: expected "batch"'),
  'expires_after[anchor]': z.literal('created_at').optional(),
  'expires_after[seconds]': seconds.optional(),
});

interface Form {
  readonly fields: Readonly<Record<string, string>>;
  readonly filename: string | null;
  readonly bytes: number;
}

/** Stores the file of the form. @throws invalid_request, body_too_large, storage_exceeded, too_many_bytes */
export async function storeUpload(
  dependencies: Uploading,
  caller: Caller,
  request: Request,
): Promise<StoredFile> {
  const { bodies, config, files } = dependencies;
  const { tenant, user, keyId } = caller;
  const name = { tenant, fileId: `file-${randomBytes(16).toString('hex')}` };
  const held = bodies.hold(keyId);
  held.add(BATCH_LIMITS.uploadHeldBytes);
  const release = allowLongUpload(request, config.files.uploadMs);
  try {
    const form = await readForm(request, (body, signal) =>
      files.upload(name, body, { atMostBytes: config.files.maxBytes, signal }),
    );
    const fields = parseWith(uploadFieldsSchema, form.fields, 'form');
    if (form.filename === null) throw new UnbrokenError('invalid_request', 'file: the form has no file.');
    const createdAt = Date.now();
    const after = fields['expires_after[seconds]'];
    const keptMs = after === undefined ? config.files.keptMs : after * 1_000;
    const file: StoredFile = {
      ...name,
      user,
      filename: form.filename.slice(0, BATCH_LIMITS.filenameChars),
      purpose: fields.purpose,
      bytes: form.bytes,
      createdAt,
      expiresAt: createdAt + keptMs,
    };
    await files.add(file);
    return file;
  } catch (error) {
    await files.remove(name);
    throw error instanceof ObjectTooLarge
      ? new UnbrokenError(
          'body_too_large',
          `The file has more than ${error.atMostBytes} bytes; the setting is files.maxBytes.`,
        )
      : error;
  } finally {
    release();
    held.release();
  }
}

type Store = (body: Readable, signal: AbortSignal) => Promise<number>;

async function readForm(request: Request, store: Store): Promise<Form> {
  const contentType = request.headers['content-type'];
  if (contentType === undefined || !request.is('multipart/form-data')) {
    throw new UnbrokenError('unsupported_media_type', 'A file is uploaded as multipart/form-data.');
  }
  const gone = new AbortController();
  // Node emits it, too, when the last byte has arrived.
  const stop = () => {
    if (request.complete) return;
    gone.abort(new UnbrokenError('invalid_request', 'The upload was not complete.'));
  };
  request.once('close', stop);
  try {
    return await new FormReader(store, gone.signal).read(request, contentType);
  } catch (error) {
    // Discards the rest, so that the client reads the answer.
    request.unpipe();
    request.resume();
    throw error;
  } finally {
    request.off('close', stop);
  }
}

class FormReader {
  readonly #store: Store;
  readonly #gone: AbortSignal;
  readonly #fields: Record<string, string> = {};
  #filename: string | null = null;
  #stored: Promise<number> = Promise.resolve(0);

  constructor(store: Store, gone: AbortSignal) {
    this.#store = store;
    this.#gone = gone;
  }

  read(request: Request, contentType: string): Promise<Form> {
    return new Promise((resolve, reject) => {
      const parser = openParser(contentType, reject);
      if (parser === null) return;
      this.#gone.addEventListener('abort', () => reject(this.#gone.reason), { once: true });
      parser.on('field', (field, value, _isNameCut, isValueCut) => {
        if (isValueCut) reject(invalid(`${field.slice(0, 100)}: the field is too long`));
        this.#fields[field] = value;
      });
      parser.on('file', (field, body, filename) => {
        if (field !== 'file' || this.#filename !== null) {
          body.resume();
          reject(invalid('file: expected one file, in the field "file"'));
          return;
        }
        this.#filename = filename ?? 'file';
        body.once('error', reject);
        this.#stored = this.#store(body, this.#gone);
        // Otherwise a form whose file cannot be stored would never end.
        this.#stored.catch(reject);
      });
      for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) {
        parser.on(limit, () => reject(invalid('the form has too many fields')));
      }
      parser.on('error', () => reject(invalid('the form cannot be read')));
      parser.on('finish', () => {
        this.#stored.then(
          (bytes) => resolve({ fields: this.#fields, filename: this.#filename, bytes }),
          reject,
        );
      });
      request.pipe(parser);
    });
  }
}

function openParser(contentType: string, reject: (error: unknown) => void) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: {
        fieldNameSize: FIELD_BYTES,
        fieldSize: FIELD_BYTES,
        fields: MOST_FIELDS,
        files: 1,
        parts: MOST_FIELDS + 1,
        headerPairs: LIMITS.headerLines,
        headerSize: LIMITS.headerBytes,
      },
    });
  } catch {
    reject(invalid('the header Content-Type names no boundary'));
    return null;
  }
}

function invalid(why: string): UnbrokenError {
  return new UnbrokenError('invalid_request', `${why.charAt(0).toUpperCase()}${why.slice(1)}.`);
}
