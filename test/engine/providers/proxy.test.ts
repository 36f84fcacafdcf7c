import { once } from 'node:events';
import { createServer, type Server, request as sendRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createProviders } from '../../../engine/providers/create-providers.ts';
import { loadConfig } from '../../../platform/config/load-config.ts';
import {
  createSimulatedProvider,
  type SimulatedProvider,
} from '../../../tools/simulator/create-simulated-provider.ts';
import { simulatedConfig, WIRES } from './adapter-for.ts';
import { callOf, errorOf, hear } from './hear.ts';

/** A name that only the proxy knows. */
const VENDOR = 'http://vendor.invalid';

let sim: SimulatedProvider;
let proxy: Server;
let hosts: string[] = [];
let credentials: (string | undefined)[] = [];
beforeAll(async () => {
  sim = await createSimulatedProvider();
  const { port } = new URL(sim.url);
  proxy = createServer((request, response) => {
    const { url = '', method, headers } = request;
    hosts.push(new URL(url).host);
    credentials.push(headers['proxy-authorization']);
    const { pathname, search } = new URL(url);
    const onward = sendRequest({ port, method, headers, path: pathname + search }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  proxy.on('connect', (_request, socket: Duplex) => {
    socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
});
afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await sim.stop();
});
beforeEach(() => {
  [hosts, credentials] = [[], []];
});

const proxyUrl = () => `http://ann:secret@127.0.0.1:${(proxy.address() as AddressInfo).port}`;

function providerAt(baseUrl: string, wire: (typeof WIRES)[number], environment: Record<string, string>) {
  const config = loadConfig({ OPENAI_API_KEY: 'sk-0123456789', ...environment });
  const provider = { apiKeyEnv: 'OPENAI_API_KEY', ...simulatedConfig(wire, baseUrl) };
  const providerKeys = { vendor: config.providerKeys['openai'] ?? [] };
  const found = createProviders({ ...config, providers: { vendor: provider }, providerKeys }).get('vendor');
  if (found === undefined) throw new Error('no provider');
  return found;
}

const call = () => callOf({ messages: [{ role: 'user', content: 'Yes? [[sim tokens=3]]' }] });

describe('a proxy of the environment', () => {
  test.each(WIRES)('is used by calls of %s, with its password', async (wire) => {
    const provider = providerAt(VENDOR, wire, { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxyUrl() });
    expect((await hear(provider, call())).text).not.toBe('');
    expect(hosts).toEqual(['vendor.invalid']);
    expect(credentials).toEqual([`Basic ${Buffer.from('ann:secret').toString('base64')}`]);
  });

  test('is not used for hosts of NO_PROXY, nor unless Node uses it too', async () => {
    const on = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxyUrl() };
    for (const environment of [{ ...on, NO_PROXY: '127.0.0.1' }, { HTTP_PROXY: proxyUrl() }]) {
      expect((await hear(providerAt(sim.url, 'openai-chat', environment), call())).text).not.toBe('');
    }
    expect(hosts).toEqual([]);
  });

  test('that refuses is named in the error, and nothing was sent', async () => {
    const environment = { NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: proxyUrl() };
    const error = errorOf(await hear(providerAt('https://forbidden.invalid', 'google', environment), call()));
    expect(error).toMatchObject({
      code: 'provider_connect_failed',
      message: 'The proxy on the way to the provider answered 407; check HTTPS_PROXY.',
    });
    expect(error?.details).toBeUndefined();
  });

  test('whose address is no URL is reported without its password', () => {
    const load = () => loadConfig({ NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: 'ann:secret@proxy:3128' });
    expect(load).toThrow('HTTPS_PROXY: expected a URL such as http://proxy.example.com:3128');
    expect(load).not.toThrow('secret');
  });
});
