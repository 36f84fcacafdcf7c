import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pino from 'pino';
import { SocketClosedUnexpectedlyError } from 'redis';
import WebSocket, { WebSocketServer } from 'ws';
import type { ApiDependencies } from '../../../api/dependencies.ts';
import { BytesInFlight } from '../../../api/http/bytes-in-flight.ts';
import { serveFrames } from '../../../api/relay/socket-frames.ts';
import type { SocketRoute } from '../../../api/relay/socket-route.ts';
import { openStreamSocket } from '../../../api/relay/web-socket.ts';
import { openResponsesSocket } from '../../../api/wires/openai-responses/web-socket.ts';
import { ERRORS } from '../../../contracts/errors.ts';

const ID = `gen_${'0'.repeat(32)}`;
const outage = () => Promise.reject(new SocketClosedUnexpectedlyError());
/** An API whose Redis is unreachable. */
const dependencies = {
  log: { head: outage },
  runs: { has: outage },
  rate: { admit: async () => undefined },
  bodies: new BytesInFlight({ perProcess: 1_000_000, perKey: 1_000_000 }),
  logger: pino({ level: 'silent' }),
  config: { http: { bodyBytes: 1_000_000 } },
} as unknown as ApiDependencies;
const ROUTES: Readonly<Record<string, SocketRoute>> = {
  '/v1/stream': openStreamSocket(dependencies),
  '/v1/responses': openResponsesSocket(dependencies),
};

const server = createServer();
const sockets = new WebSocketServer({ server });
sockets.on('connection', (ws, request) => {
  const route = ROUTES[request.url ?? ''];
  if (route === undefined) throw new Error('no such socket');
  const caller = { tenant: 'acme', user: 'ann', team: null, keyId: 'key_1', scopes: ['generate'] } as const;
  serveFrames(dependencies, route, { ws, connection: request.socket, caller });
});
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  for (const client of sockets.clients) client.terminate();
  server.close();
});

test.each([
  ['/v1/stream', { type: 'subscribe', generationId: ID }],
  [
    '/v1/responses',
    { type: 'response.create', input: 'Go.', previous_response_id: `resp_${'0'.repeat(32)}` },
  ],
])('%s reports an outage of Redis as service_unavailable, which is a 503', async (path, frame) => {
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  await once(client, 'open');
  client.send(JSON.stringify(frame));
  const [data] = await once(client, 'message');
  expect(JSON.parse(String(data))).toMatchObject({ type: 'error', error: { code: 'service_unavailable' } });
  expect(ERRORS.service_unavailable.status).toBe(503);
  client.close();
});
