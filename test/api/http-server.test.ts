import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { refuseUnknown } from '../../api/allowed-methods.ts';
import { createHttpServer } from '../../api/http-server.ts';
import { configSchema } from '../../config/schema.ts';
import { isErrorCode, UnbrokenError } from '../../contracts/errors.ts';

const HEADERS_MS = 400;
const REQUEST_MS = 800;
const app = express();
app.post('/things', express.json(), (_request, response) => void response.json({}));
app.get('/slow', (_request, response) => {
  response.write('begin ');
  setTimeout(() => response.end('end'), 3 * REQUEST_MS);
});
const nested = express.Router();
nested.get('/:id', (_request, response) => void response.json({}));
nested.delete('/:id', (_request, response) => void response.json({}));
app.use('/nested', (_request, _response, next) => next(), nested);
app.use(refuseUnknown(app.router));
app.use(((error, _request, response, _next) => {
  const code = error instanceof UnbrokenError && isErrorCode(error.code) ? error.code : 'internal';
  response.status(error.entry?.status ?? 500).json({ code });
}) satisfies express.ErrorRequestHandler);

const server = createHttpServer(app, {
  ...configSchema.parse({}).http,
  headersMs: HEADERS_MS,
  requestMs: REQUEST_MS,
  connections: 3,
});
let port = 0;
const open: Socket[] = [];
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** What a raw client reads until the server closes. */
async function talk(first: string, thenEveryMs?: { piece: string; ms: number }): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  open.push(socket);
  let heard = '';
  socket.on('data', (data) => {
    heard += data.toString();
  });
  socket.on('error', () => socket.destroy());
  socket.write(first);
  const dribble = thenEveryMs && setInterval(() => socket.write(thenEveryMs.piece), thenEveryMs.ms);
  // Not `once` of node:events, which would reject with the EPIPE of a piece that came too late.
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  clearInterval(dribble);
  return heard;
}

describe('a client that is slow on purpose', () => {
  test('with its headers, one line at a time, is cut', async () => {
    const heard = await talk('GET /slow HTTP/1.1\r\nhost: a\r\n', { piece: 'x: y\r\n', ms: 50 });
    expect(heard).toContain('408 Request Timeout');
  });

  test('with its body, one byte at a time, is cut', async () => {
    const head =
      'POST /things HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n';
    const heard = await talk(head, { piece: ' ', ms: 50 });
    expect(heard).toContain('408 Request Timeout');
  });

  test('does not make the server cut a response that takes longer than any request may', async () => {
    const response = await fetch(`http://127.0.0.1:${port}/slow`);
    expect(await response.text()).toBe('begin end');
  });
});

test('headers over the limit are refused', async () => {
  const response = await fetch(`http://127.0.0.1:${port}/things`, { headers: { x: 'y'.repeat(17_000) } });
  expect(response.status).toBe(431);
});

test('connections over the limit are closed', async () => {
  const closed: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    const socket = connect(port, '127.0.0.1');
    open.push(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => closed.push(index));
    await once(socket, 'connect');
  }
  while (closed.length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(closed.length).toBeGreaterThanOrEqual(2);
});

describe('a path that exists, with another method', () => {
  test.each([
    ['PUT', '/things', 405, 'POST'],
    ['POST', '/nested/1', 405, 'DELETE, GET, HEAD'],
    ['POST', '/nothing', 404, null],
    ['GET', '/nested/1/2', 404, null],
  ])('%s %s is %d and allows %s', async (method, path, status, allow) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get('allow')).toBe(allow);
    await response.text();
  });
});
