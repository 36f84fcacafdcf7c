import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import express from 'express';
import { refuseUnknown } from '../../../api/http/allowed-methods.ts';

test.each([
  ['/chat', 'There is no POST /chat. There is /v1/chat: the base URL of a client ends in /v1.'],
  ['/other', 'There is no POST /other.'],
])('a client whose base URL lacks the version learns it: %s', async (path, words) => {
  expect(await refusalOf('POST', path)).toBe(words);
});

test.each([
  ['/v1/stream', 'There is no GET /v1/stream.'],
  ['/v1/chat', '/v1/chat takes POST, not GET.'],
])(
  'a request for a WebSocket without an upgrade learns what a proxy has removed: %s',
  async (path, words) => {
    const hint = 'A WebSocket is there: a proxy in between must pass on the headers Upgrade and Connection.';
    expect(await refusalOf('GET', path)).toBe(`${words} ${hint}`);
  },
);

async function refusalOf(method: string, path: string): Promise<string> {
  const app = express();
  const v1 = express.Router();
  v1.post('/chat', (_request, response) => void response.json({}));
  app.use('/v1', v1);
  app.use(refuseUnknown(app.router, ['/v1/stream', '/v1/chat']));
  app.use(((error, _request, response, _next) => {
    response.status(404).send(error.message);
  }) satisfies express.ErrorRequestHandler);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  const words = await answer.text();
  server.closeAllConnections();
  server.close();
  return words;
}
