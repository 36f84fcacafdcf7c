import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import express from 'express';
import { createResponseSink, createSseSink, startSse } from '../../../api/relay/sse.ts';
import type { GenerationEvent } from '../../../contracts/events.ts';

const EVENTS: readonly GenerationEvent[] = [
  { seq: 1, at: 7, type: 'text-delta', text: 'é' },
  { seq: 2, at: 7, type: 'text-delta', text: 'b' },
];
const BODY =
  'retry: 1\n\n' +
  'id: 1\nevent: text-delta\ndata: {"seq":1,"at":7,"type":"text-delta","text":"é"}\n\n' +
  'id: 2\nevent: text-delta\ndata: {"seq":2,"at":7,"type":"text-delta","text":"b"}\n\n' +
  ': heartbeat\n\nplain\n\nend\n\n';

let server: Server;
let port: number;

beforeAll(async () => {
  const app = express();
  app.get('/', (_request, response) => {
    startSse(response, 'gen_1');
    response.write('retry: 1\n\n');
    const sink = createSseSink(response);
    sink.send(EVENTS);
    sink.heartbeat();
    const texts = ['', 'plain\n\n'];
    const projected = createResponseSink(response, { encode: () => texts.shift() ?? '', coalesces: true });
    // A format has no frame for some events; an empty chunk would end the response.
    projected.send([]);
    projected.send(EVENTS);
    response.end('end\n\n');
  });
  server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

test('a stream in shared chunks is whole, and its connection serves the next request', async () => {
  for (let request = 0; request < 3; request += 1) {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(response.headers.get('transfer-encoding')).toBe('chunked');
    expect(await response.text()).toBe(BODY);
  }
});

test('a client of HTTP/1.0 gets the same without chunks', async () => {
  const { head, body } = await answerTo('GET / HTTP/1.0\r\nHost: test\r\n\r\n');
  expect(head).not.toMatch(/transfer-encoding/i);
  expect(body).toBe(BODY);
});

test('the connection of a client that wants it closed is closed at the end of the stream', async () => {
  const begunAt = performance.now();
  const { head } = await answerTo('GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n');
  expect(head).toMatch(/^connection: close$/im);
  expect(performance.now() - begunAt).toBeLessThan(server.keepAliveTimeout);
});

/** What the server sends until it closes the connection. */
async function answerTo(request: string): Promise<{ head: string; body: string }> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(request);
  const received: Buffer[] = [];
  for await (const bytes of socket) received.push(bytes);
  const [head = '', ...body] = Buffer.concat(received).toString().split('\r\n\r\n');
  return { head, body: body.join('\r\n\r\n') };
}
