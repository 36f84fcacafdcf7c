import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLine } from '../../../clients/web/src/network-switch.ts';

/** Answers with one byte and leaves the response open. */
const server = createServer((_request, response) => {
  response.write('x');
});
let url = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('a line that is cut', () => {
  test('ends the connections that are open', async () => {
    const line = createLine();
    const response = await line.fetch(url);
    const reading = response.text();
    line.cut();
    await expect(reading).rejects.toThrow('cut');
    expect(line.isCut).toBe(true);
  });

  test('holds new ones back until it is joined', async () => {
    const line = createLine();
    line.cut();
    let isAnswered = false;
    const asked = line.fetch(url).then((response) => {
      isAnswered = true;
      return response;
    });
    await fetch(url).then((response) => response.body?.cancel());
    expect(isAnswered).toBe(false);
    line.join();
    const response = await asked;
    expect(response.status).toBe(200);
    await response.body?.cancel();
  });

  test('lets go of whoever gives up while it is cut', async () => {
    const line = createLine();
    line.cut();
    const given = new AbortController();
    const asked = line.fetch(url, { signal: given.signal });
    given.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });
});
