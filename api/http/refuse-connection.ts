/**
 * Answers an error on a raw connection, where there is no Express response: a request that is not valid HTTP, or an
 * upgrade that is refused. The body has the same shape as any other error.
 */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { UnbrokenError } from '../../contracts/errors.ts';

export function refuseConnection(connection: Duplex, error: UnbrokenError): void {
  const { status } = error.entry;
  const body = JSON.stringify({ error: error.toBody() });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/json',
    'connection: close',
    `content-length: ${Buffer.byteLength(body)}`,
  ].join('\r\n');
  // A client that never closes its side would keep the connection open.
  connection.end(`${head}\r\n\r\n${body}`, () => connection.destroy());
}
