import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { createLink } from '../../../engine/providers/http-link.ts';

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const signal = new AbortController().signal;

describe('the link of a call', () => {
  test('a connection that is not established within the limit fails by its own code', async () => {
    // Takes the TCP connection and never answers the TLS greeting.
    const server = createServer();
    const port = await listening(server);
    const link = createLink({}, { apiKey: 'k', connectMs: 200 }, signal);
    await expect(link.fetch(`https://127.0.0.1:${port}/`, {})).rejects.toMatchObject({
      code: 'provider_connect_failed',
      message: 'No connection within 200 ms.',
    });
    expect(link.head()).toBeNull();
    server.close();
  });

  test('the head of a refusal is kept for its error and sets no limits, and the key of the call comes first', async () => {
    const server = createHttpServer((_request, response) => {
      response.writeHead(429, { 'retry-after': '7', 'x-ratelimit-remaining-requests': '0' }).end('{}');
    });
    const port = await listening(server);
    const heard: [number, string | null][] = [];
    const onHeaders = (headers: Headers, status: number) => heard.push([status, headers.get('retry-after')]);
    const link = createLink(
      { apiKey: 'of the call', onHeaders },
      { apiKey: 'own', connectMs: 1_000 },
      signal,
    );
    await (await link.fetch(`http://127.0.0.1:${port}/`, {})).text();
    expect(heard).toEqual([]);
    expect(link.head()).toMatchObject({ status: 429 });
    expect(link.apiKey).toBe('of the call');
    expect(createLink({}, { apiKey: 'own', connectMs: 1_000 }, signal).apiKey).toBe('own');
    server.closeAllConnections();
    server.close();
  });

  test('an answer in JSON that never ends is not held without a limit', async () => {
    const server = createHttpServer((_request, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(1024 * 1024)));
        response.once('drain', more);
      };
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"a":"', more);
    });
    const port = await listening(server);
    const link = createLink({}, { apiKey: 'k', connectMs: 1_000 }, signal);
    await expect(link.fetch(`http://127.0.0.1:${port}/`, {})).rejects.toMatchObject({
      code: 'provider_malformed',
    });
    server.closeAllConnections();
    server.close();
  });
});
