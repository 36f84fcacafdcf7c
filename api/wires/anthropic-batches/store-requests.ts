/** Stores the requests of a message batch as lines while they arrive, each after a check. */
import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { z } from 'zod';
import { BATCH_LIMITS } from '../../../contracts/batch-limits.ts';
import { UnbrokenError } from '../../../contracts/errors.ts';
import { LIMITS } from '../../../contracts/limits.ts';
import { FileCheck } from '../../../engine/batches/check-lines.ts';
import type { FileName } from '../../../engine/files/file-store.ts';
import { ObjectTooLarge } from '../../../platform/object-store/object-store.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { allowLongUpload } from '../../http/long-uploads.ts';
import { parseWith } from '../../http/read-request.ts';
import { splitRequests } from './split-requests.ts';

type Storing = Pick<ApiDependencies, 'bodies' | 'config' | 'files'>;

export const messageBatchBodySchema = z.strictObject({ requests: z.array(z.unknown()).max(0) });

interface StoredRequests {
  readonly lines: number;
  readonly requestHash: string;
}

/** @throws invalid_request, invalid_json, body_too_large, too_many_bytes */
export async function storeRequests(
  { bodies, config, files }: Storing,
  request: Request,
  { name, keyId }: { readonly name: FileName; readonly keyId: string },
): Promise<StoredRequests> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    throw new UnbrokenError('unsupported_media_type', 'A message batch is sent without compression.');
  }
  const held = bodies.hold(keyId);
  held.add(BATCH_LIMITS.uploadHeldBytes);
  const release = allowLongUpload(request, config.files.uploadMs);
  const { maxBytes } = config.files;
  try {
    const body = request.iterator({ destroyOnReturn: false });
    const { lines, rest } = splitRequests(body, config.http.bodyBytes);
    const checked = new CheckedLines(config);
    await files.upload(name, checked.pass(lines), {
      atMostBytes: maxBytes,
      keptMs: BATCH_LIMITS.longestBatchMs + LIMITS.openLogTtlMs,
    });
    parseWith(messageBatchBodySchema, rest());
    return checked.result();
  } catch (error) {
    // Discards the rest, so that the client reads the answer.
    request.resume();
    await files.remove(name);
    if (!(error instanceof ObjectTooLarge)) throw error;
    const message = `The batch has more than ${maxBytes} bytes; the setting is files.maxBytes.`;
    throw new UnbrokenError('body_too_large', message);
  } finally {
    release();
    held.release();
  }
}

class CheckedLines {
  readonly #check: FileCheck;
  readonly #hash = createHash('sha256');

  constructor({ batches, http }: Storing['config']) {
    this.#check = new FileCheck({
      endpoint: '/v1/messages',
      atMostLines: batches.lines,
      atMostLineBytes: http.bodyBytes,
      atMostValues: http.jsonValues,
    });
  }

  async *pass(lines: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let from = 0;
    for await (const line of lines) {
      const number = this.#check.lines + 1;
      this.#check.add({ bytes: line.subarray(0, -1), number, from });
      this.#refuseFault();
      from += line.byteLength;
      this.#hash.update(line);
      yield line;
    }
  }

  result(): StoredRequests {
    const { lines } = this.#check;
    if (lines === 0) {
      throw new UnbrokenError('invalid_request', 'requests: expected at least one request.', {
        details: { param: 'requests' },
      });
    }
    return { lines, requestHash: this.#hash.digest('hex') };
  }

  #refuseFault(): void {
    const [fault] = this.#check.faults;
    if (fault === undefined) return;
    const place = `requests.${(fault.line ?? 1) - 1}${fault.param === null ? '' : `.${fault.param}`}`;
    throw new UnbrokenError('invalid_request', `${place}: ${fault.message}`, { details: { param: place } });
  }
}
