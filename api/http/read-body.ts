/** The bytes of a request's body, unpacked, counted as they come: a body that is sent slowly is memory all the while. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { UnbrokenError } from '../../contracts/errors.ts';
import { LIMITS } from '../../contracts/limits.ts';
import type { HeldBytes } from './bytes-in-flight.ts';

const UNPACKERS = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress } as const;

/** @throws body_too_large, unsupported_media_type, invalid_request, and what `held` throws. */
export async function readBody(request: IncomingMessage, held: HeldBytes): Promise<Buffer> {
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  const declared = Number(request.headers['content-length'] ?? 0);
  try {
    if (encoding === 'identity' && declared > LIMITS.requestBodyBytes) throw tooLarge();
    return await collect(encoding === 'identity' ? request : unpacked(request, encoding), held);
  } catch (error) {
    // What is still to come is read and dropped, so that the client hears the answer.
    request.unpipe();
    request.resume();
    if (error instanceof UnbrokenError) throw error;
    throw new UnbrokenError('invalid_request', 'The body cannot be read.', { cause: error });
  }
}

async function collect(stream: Readable, held: HeldBytes): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // A request that is destroyed takes its connection with it, and the answer too.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > LIMITS.requestBodyBytes) throw tooLarge();
    held.add(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

function unpacked(request: IncomingMessage, encoding: string): Readable {
  const create = Object.hasOwn(UNPACKERS, encoding) ? UNPACKERS[encoding as keyof typeof UNPACKERS] : null;
  if (create === null) throw new UnbrokenError('unsupported_media_type', 'The encoding is not supported.');
  const unpacker = create();
  unpacker.on('error', () => request.unpipe(unpacker));
  request.once('aborted', () => unpacker.destroy(new Error('aborted')));
  return request.pipe(unpacker);
}

function tooLarge(): UnbrokenError {
  return new UnbrokenError('body_too_large', `The body is over ${LIMITS.requestBodyBytes} bytes.`);
}
