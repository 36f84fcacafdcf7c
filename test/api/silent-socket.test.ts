import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import WebSocket, { WebSocketServer } from 'ws';
import { endSilent } from '../../api/upgrade.ts';
import { openRawWebSocket } from '../fuzz/raw-websocket.ts';
import { waitFor } from '../harness/wait-for.ts';

const SILENT_MS = 300;
const server = createServer();
const sockets = new WebSocketServer({ server });
sockets.on('connection', (ws, request) => endSilent(ws, request.socket, SILENT_MS));
let url = '';
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  for (const client of sockets.clients) client.terminate();
  server.close();
});

test('a client that answers no ping is closed, and one that does stays', async () => {
  const good = new WebSocket(url.replace('http', 'ws'));
  let pings = 0;
  good.on('ping', () => {
    pings += 1;
  });
  await once(good, 'open');
  // It takes every frame and never says a word.
  const gone = await openRawWebSocket(url, '/', 'none');
  await waitFor('the end of the silent one', () => gone.isClosed());
  expect(gone.frames.some(({ opcode }) => opcode === 9)).toBe(true);
  const before = pings;
  await waitFor('three more pings', () => pings >= before + 3);
  expect(good.readyState).toBe(good.OPEN);
  good.terminate();
});
