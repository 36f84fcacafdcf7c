/**
 * Reads and decompresses the body of a request. Counts the bytes as they arrive, because a body that is sent slowly
 * takes memory all the while.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';
import { UnbrokenError } from '../../contracts/errors.ts';
import { DEFAULTS } from '../../contracts/limits.ts';
import type { HeldBytes } from './bytes-in-flight.ts';

/** The window of zstd is chosen by the client, up to 2 GiB: this is 32 MiB. */
const ZSTD = { params: { [constants.ZSTD_d_windowLogMax]: 25 } };

const DECOMPRESSORS = {
  gzip: () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(ZSTD),
} as const;

/**
 * @param most bytes of the body, decompressed.
 * @throws body_too_large, unsupported_media_type, invalid_request, and what `held` throws.
 */
export async function readBody(
  request: IncomingMessage,
  held: HeldBytes,
  most = DEFAULTS.bodyBytes,
): Promise<Buffer> {
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  const declared = Number(request.headers['content-length'] ?? 0);
  try {
    if (encoding === 'identity' && declared > most) throw tooLarge(most);
    return await collect(encoding === 'identity' ? request : decompressed(request, encoding), held, most);
  } catch (error) {
    // Discards the rest of the body, so that the client reads the answer.
    request.unpipe();
    request.resume();
    if (error instanceof UnbrokenError) throw error;
    throw new UnbrokenError('invalid_request', 'The body cannot be read.', { cause: error });
  }
}

async function collect(stream: Readable, held: HeldBytes, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Destroying the request would close its connection before the answer is sent.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > most) throw tooLarge(most);
    held.add(chunk.length);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

function decompressed(request: IncomingMessage, encoding: string): Readable {
  const create = Object.hasOwn(DECOMPRESSORS, encoding)
    ? DECOMPRESSORS[encoding as keyof typeof DECOMPRESSORS]
    : null;
  if (create === null) throw new UnbrokenError('unsupported_media_type', 'The encoding is not supported.');
  const decompressor = create();
  decompressor.on('error', () => request.unpipe(decompressor));
  request.once('aborted', () => decompressor.destroy(new Error('aborted')));
  return request.pipe(decompressor);
}

function tooLarge(most: number): UnbrokenError {
  const message = `The body is over ${most} bytes; the setting is http.bodyBytes.`;
  return new UnbrokenError('body_too_large', message);
}
