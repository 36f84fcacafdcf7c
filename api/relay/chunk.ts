/**
 * Text with the frame of an HTTP chunk around it (RFC 9112, section 7.1). Node would frame it for each response, in
 * four writes.
 */
import type { Response } from 'express';

export interface Chunk {
  readonly framed: Buffer;
  /** For HTTP/1.0, which has no chunks. */
  readonly plain: Buffer;
}

export const LAST_CHUNK = '0\r\n\r\n';

export function chunkOf(text: string): Chunk {
  const head = `${Buffer.byteLength(text).toString(16)}\r\n`;
  const framed = Buffer.from(`${head}${text}\r\n`);
  return { framed, plain: framed.subarray(head.length, -2) };
}

export function writeChunk(response: Response, { framed, plain }: Chunk): void {
  if (!response.headersSent || !response.chunkedEncoding) {
    response.write(plain);
    return;
  }
  response.chunkedEncoding = false;
  response.write(framed);
  response.chunkedEncoding = true;
}
