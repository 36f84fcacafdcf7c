/** What a client gets whose answer continues after its end for Node. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { createHttpServer } from '../../../api/http/http-server.ts';
import { allGivenBack } from '../../../api/http/taken-sockets.ts';
import { chunkOf } from '../../../api/relay/chunk.ts';
import { type EventConnection, openEventConnection } from '../../../api/relay/event-connection.ts';
import { startSse } from '../../../api/relay/sse.ts';
import { configSchema } from '../../../platform/config/schema.ts';
import { pause, waitFor } from '../../harness/wait-for.ts';

const IDLE_MS = 100;
/** Node adds a second to the time for which it keeps an idle connection. */
const LONG_MS = IDLE_MS + 1_500;

let opened: EventConnection | null = null;
let closed = 0;
const app = express();
app.get('/events', (_request, response) => {
  response.once('close', () => {
    closed += 1;
  });
  startSse(response, 'gen_1');
  opened = openEventConnection(response);
});
app.get('/plain', (_request, response) => void response.send('plain'));

const server = createHttpServer(app, {
  ...configSchema.parse({}).http,
  headersMs: IDLE_MS,
  requestMs: IDLE_MS,
  keepAliveMs: IDLE_MS,
});
let reader: Socket;
let received = '';

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  reader.destroy();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Opens a stream, and resolves when its first text has come. */
async function openStream(version = 'HTTP/1.1', header = ''): Promise<EventConnection> {
  opened = null;
  closed = 0;
  received = '';
  reader = connect((server.address() as AddressInfo).port, '127.0.0.1');
  reader.on('error', () => reader.destroy());
  reader.on('data', (bytes) => {
    received += bytes;
  });
  reader.write(`GET /events ${version}\r\nHost: test\r\n${header}\r\n`);
  const connection = await waitFor('the stream', () => opened);
  connection.write(chunkOf('first\n\n'));
  await waitFor('the first text', () => received.includes('first'));
  return connection;
}

test('it outlives every limit of an idle connection, ends as a response does, and serves the next request', async () => {
  const connection = await openStream();
  let hasEnded = false;
  const ended = allGivenBack().then(() => {
    hasEnded = true;
  });
  await pause(LONG_MS);
  connection.write(chunkOf('é\n\n'));
  await waitFor('the text after a long silence', () => received.includes('é'));
  expect([closed, hasEnded]).toEqual([0, false]);
  connection.end();
  connection.write(chunkOf('late'));
  await ended;
  await waitFor('the end', () => received.endsWith('\r\n\r\n7\r\nfirst\n\n\r\n4\r\né\n\n\r\n0\r\n\r\n'));
  expect(closed).toBe(1);
  reader.write('GET /plain HTTP/1.1\r\nHost: test\r\n\r\n');
  await waitFor('the next answer', () => received.endsWith('plain'));
  await once(reader, 'close');
  expect(closed).toBe(1);
});

test('a request behind the end of a stream, which is still on its way, is answered', async () => {
  const connection = await openStream();
  reader.pause();
  // More than the kernel takes.
  connection.write(chunkOf('x'.repeat(8_000_000)));
  connection.end();
  reader.write('GET /plain HTTP/1.1\r\nHost: test\r\n\r\n');
  await pause(IDLE_MS);
  expect(closed).toBe(0);
  reader.resume();
  await waitFor('the next answer', () => received.endsWith('plain'));
  expect(closed).toBe(1);
});

test('a client that leaves ends it', async () => {
  const connection = await openStream();
  reader.destroy();
  await waitFor('the end of the response', () => closed > 0);
  await allGivenBack();
  expect(connection.flow.ready()).toBe(false);
  let isCalled = false;
  connection.onClose(() => {
    isCalled = true;
  });
  expect(isCalled).toBe(true);
});

describe('nothing that the client sends is answered within the stream', () => {
  test.each([
    ['another request', 'GET /plain HTTP/1.1\r\nHost: test\r\n\r\n'],
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['half a request, for too long', 'GET /plain HT'],
  ])('%s closes the connection', async (_, text) => {
    await openStream();
    reader.write(text);
    await once(reader, 'close');
    expect(received).toMatch(/first\n\n\r\n$/);
    await waitFor('the end of the response', () => closed > 0);
    expect(closed).toBe(1);
  });
});

test.each([
  ['HTTP/1.0, which has no chunks', 'HTTP/1.0', '', /\r\n\r\nfirst\n\n$/],
  ['a client that wants it closed', 'HTTP/1.1', 'Connection: close\r\n', /7\r\nfirst\n\n\r\n0\r\n\r\n$/],
])(
  'the connection of %s is open until the end of the stream, and then closed',
  async (_, version, header, whole) => {
    const connection = await openStream(version, header);
    await pause(LONG_MS);
    expect(reader.closed).toBe(false);
    connection.end();
    await once(reader, 'close');
    expect(received).toMatch(whole);
    expect(closed).toBe(1);
  },
);
