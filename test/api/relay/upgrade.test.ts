import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import WebSocket, { WebSocketServer } from 'ws';
import { limitAnswers } from '../../../api/relay/limit-answers.ts';
import { SilentSockets } from '../../../api/relay/silent-sockets.ts';
import { openRawWebSocket } from '../../fuzz/raw-websocket.ts';
import { pause, waitFor } from '../../harness/wait-for.ts';

const SILENT_MS = 300;
const ANSWER = 'x'.repeat(100_000);
const server = createServer();
const silent = new SilentSockets(SILENT_MS);
const sockets = new WebSocketServer({ server });
let accepted: { readonly ws: WebSocket; readonly connection: Duplex } | null = null;
sockets.on('connection', (ws, request) => {
  accepted = { ws, connection: request.socket };
  if (request.url === '/silent') silent.watch(ws, request.socket);
  ws.on('message', () => {
    limitAnswers(ws, request.socket);
    ws.send(ANSWER);
  });
});
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

test('a client that answers no ping is closed, and one that does stays open', async () => {
  const good = new WebSocket(`${url.replace('http', 'ws')}/silent`);
  let pings = 0;
  good.on('ping', () => {
    pings += 1;
  });
  await once(good, 'open');
  // It reads every frame and never sends one.
  const gone = await openRawWebSocket(url, '/silent', 'none');
  await waitFor('the silent client to be closed', () => gone.isClosed());
  expect(gone.frames.some(({ opcode }) => opcode === 9)).toBe(true);
  const before = pings;
  await waitFor('three more pings', () => pings >= before + 3);
  expect(good.readyState).toBe(good.OPEN);
  good.terminate();
});

test('answers do not pile up for a client that does not read them, and none is lost', async () => {
  const client = new WebSocket(url.replace('http', 'ws'));
  await once(client, 'open');
  const server = accepted;
  if (server === null) throw new Error('not accepted');
  let answers = 0;
  client.on('message', () => {
    answers += 1;
  });
  client.pause();
  let frames = 0;
  const send = () => {
    client.send('x');
    frames += 1;
  };
  // One by one, because frames of one packet are all answered before the pause.
  await waitFor('the server to stop reading', () => {
    if (!server.ws.isPaused) send();
    return server.ws.isPaused;
  });
  const held = server.connection.writableLength;
  for (let more = 0; more < 50; more += 1) send();
  await pause(SILENT_MS);
  expect(server.connection.writableLength).toBeLessThanOrEqual(held);
  client.resume();
  await waitFor('all answers', () => answers === frames);
  expect(server.ws.isPaused).toBe(false);
  client.terminate();
});
