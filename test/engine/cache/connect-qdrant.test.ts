/** Where calls to Qdrant arrive, behind a proxy too. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectQdrant } from '../../../engine/cache/connect-qdrant.ts';

const calls: string[] = [];
/** What a proxy would pass on. */
let server: Server;
let port: number;
beforeAll(async () => {
  server = createServer(({ url = '', headers }, response) => {
    calls.push(`${headers.host}${url}`);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ result: { collections: [] }, status: 'ok', time: 0 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => server.close().closeAllConnections());

test('a path of the URL stands before each call', async () => {
  const client = connectQdrant({ url: `http://127.0.0.1:${port}/vectors` }, { timeoutMs: 5_000 });
  await client.getCollections();
  expect(calls).toEqual([`127.0.0.1:${port}/vectors/collections`]);
});

test('port 443 is not 6333', async () => {
  const client = connectQdrant({ url: 'https://127.0.0.1:443' }, { timeoutMs: 5_000 });
  // Nothing listens there; the reason names where the call went.
  await expect(client.getCollections()).rejects.toMatchObject({ cause: { port: 443 } });
});
