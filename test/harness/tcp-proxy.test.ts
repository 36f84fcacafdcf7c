import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { waitFor } from './wait-for.ts';

let server: Server;
let proxy: TcpProxy;
beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startTcpProxy((server.address() as AddressInfo).port);
});
afterEach(async () => {
  await proxy.close();
  server.close();
});

function open(): Socket {
  const [host = '', port] = proxy.address.split(':');
  return connect({ host, port: Number(port) });
}

/** A connection over which `a` has passed, and what has come back on it so far. */
async function openWithFirstByte() {
  const socket = open();
  await once(socket, 'connect');
  let received = '';
  socket.on('data', (chunk) => {
    received += String(chunk);
  });
  socket.write('a');
  await waitFor('the first byte', () => received === 'a');
  return { socket, echoed: () => received };
}

test('bytes pass unchanged in both directions, and the end too', async () => {
  const socket = open();
  const sent = 'x'.repeat(3_000_000);
  socket.end(sent);
  expect(await text(socket)).toBe(sent);
});

test('a dropped wire holds what was sent and delivers it when it is mended', async () => {
  const { socket, echoed } = await openWithFirstByte();
  proxy.harm({ kind: 'drop' });
  socket.write('b');
  const other = open();
  other.write('c');
  const silent = once(other, 'data').then(() => 'data');
  expect(await Promise.race([silent, once(socket, 'data'), new Promise((r) => setTimeout(r, 150))])).toBe(
    undefined,
  );
  proxy.mend();
  await waitFor('the held byte', () => echoed() === 'ab');
  expect(await silent).toBe('data');
  socket.destroy();
  other.destroy();
});

test('a connection that hangs passes nothing for good, and those opened later are whole', async () => {
  const { socket, echoed } = await openWithFirstByte();
  proxy.harm({ kind: 'hang' });
  socket.write('b');
  const other = open();
  other.write('c');
  expect(String((await once(other, 'data'))[0])).toBe('c');
  proxy.mend();
  const later = open();
  later.end('d');
  expect(await text(later)).toBe('d');
  expect(echoed()).toBe('a');
  socket.destroy();
  other.destroy();
});

test('a reset wire breaks what is open and what is opened, until it is mended', async () => {
  const socket = open();
  await once(socket, 'connect');
  socket.write('a');
  await once(socket, 'data');
  const broken = once(socket, 'error');
  proxy.harm({ kind: 'reset' });
  expect(String(await broken)).toContain('ECONNRESET');
  expect(String(await once(open(), 'error'))).toContain('ECONNRESET');
  proxy.mend();
  const again = open();
  again.write('b');
  expect(String(await once(again, 'data'))).toBe('b');
  again.destroy();
});

test('a delayed wire is late by as much', async () => {
  proxy.harm({ kind: 'delay', delayMs: 60 });
  const socket = open();
  const begunAt = performance.now();
  socket.write('a');
  await once(socket, 'data');
  // Once for the connection, once in each direction.
  expect(performance.now() - begunAt).toBeGreaterThanOrEqual(175);
  socket.destroy();
});

test('a wire that breaks passes so many bytes more, and not one beyond', async () => {
  const socket = open();
  await once(socket, 'connect');
  let got = '';
  socket.on('data', (chunk) => {
    got += String(chunk);
  });
  socket.on('error', () => socket.destroy());
  socket.write('abc');
  await waitFor('what came before', () => got === 'abc');
  proxy.harm({ kind: 'break', afterBytes: 4 });
  const closed = once(socket, 'close');
  socket.write('defghijk');
  await closed;
  expect('abcdefg'.startsWith(got)).toBe(true);
  const later = open();
  later.end('whole');
  expect(await text(later)).toBe('whole');
});
