import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import express from 'express';
import { isDisconnect } from '../../../api/http/disconnect.ts';

test('a client that disconnects within a file is not an error of ours, unlike an error at the same moment', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'unbroken-disconnect-'));
  const file = join(folder, 'large.txt');
  // More than both sides' socket buffers hold, so that the response is open when the client leaves.
  writeFileSync(file, Buffer.alloc(64 * 1024 * 1024));
  const failed = Promise.withResolvers<{ error: unknown; response: ServerResponse }>();
  const app = express();
  app.get('/file', (_request, response) => {
    response.sendFile(file, (error) => failed.resolve({ error, response }));
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.write('GET /file HTTP/1.1\r\nhost: a\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    const { error, response } = await failed.promise;
    expect(error).toMatchObject({ message: 'Request aborted' });
    expect(isDisconnect(error, response)).toBe(true);
    expect(isDisconnect(new TypeError('a fault of ours'), response)).toBe(false);
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
