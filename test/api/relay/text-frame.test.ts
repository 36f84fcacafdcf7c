import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { textFrame } from '../../../api/relay/text-frame.ts';

test('a client reads frames of every length, between those that ws writes', async () => {
  const texts = ['', 'é', ...[125, 126, 65_535, 65_536].map((length) => 'x'.repeat(length))];
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, connection, head) =>
    sockets.handleUpgrade(request, connection, head, (ws) => {
      ws.send('first');
      for (const text of texts) connection.write(textFrame(text));
      ws.send('last');
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const client = new WebSocket(`ws://127.0.0.1:${address.port}`);
  const received: string[] = [];
  await new Promise<void>((resolve, reject) => {
    client.on('error', reject);
    client.on('message', (data, isBinary) => {
      expect(isBinary).toBe(false);
      received.push(String(data));
      if (received.at(-1) === 'last') resolve();
    });
  });
  expect(received).toEqual(['first', ...texts, 'last']);
  client.terminate();
  server.close();
});
