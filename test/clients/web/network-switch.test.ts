import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NetworkSwitch } from '../../../clients/web/src/network-switch.ts';

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

describe('a network that is cut', () => {
  test('ends open connections', async () => {
    const network = new NetworkSwitch();
    const response = await network.fetch(url);
    const reading = response.text();
    network.cut();
    await expect(reading).rejects.toThrow('cut');
    expect(network.isCut).toBe(true);
  });

  test('holds new connections back until it is restored', async () => {
    const network = new NetworkSwitch();
    network.cut();
    let isAnswered = false;
    const pending = network.fetch(url).then((response) => {
      isAnswered = true;
      return response;
    });
    await fetch(url).then((response) => response.body?.cancel());
    expect(isAnswered).toBe(false);
    network.restore();
    const response = await pending;
    expect(response.status).toBe(200);
    await response.body?.cancel();
  });

  test('rejects a request that its caller aborts meanwhile', async () => {
    const network = new NetworkSwitch();
    network.cut();
    const abort = new AbortController();
    const pending = network.fetch(url, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(pending).rejects.toThrow('enough');
  });
});
