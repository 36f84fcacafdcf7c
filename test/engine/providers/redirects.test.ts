import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { forwardEmbeddings } from '../../../api/wires/openai-embeddings/forward.ts';
import { createLink } from '../../../engine/providers/http-link.ts';
import { adapterFor, simulatedConfig, WIRES } from './adapter-for.ts';
import { callOf, errorOf, hear } from './hear.ts';

/** Answers as a test wants it, and notes the headers of what arrives. */
class Server {
  arrived: IncomingMessage['headers'][] = [];
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) =>
    response.writeHead(500).end();
  readonly #server = createServer((request, response) => {
    this.arrived.push(request.headers);
    request.resume().once('end', () => this.answer(request, response));
  });

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const named = new Server();
const other = new Server();
beforeAll(async () => {
  await Promise.all([named.start(), other.start()]);
});
afterAll(() => {
  named.stop();
  other.stop();
});
beforeEach(() => {
  [named.arrived, other.arrived] = [[], []];
});

const redirectTo = (status: number, base: string) => {
  named.answer = ({ url }, response) => response.writeHead(status, { location: `${base}${url}` }).end();
};
const input = { messages: [{ role: 'user' as const, content: 'Yes?' }] };
const signal = new AbortController().signal;

describe('a redirect of a provider', () => {
  test.each(WIRES)('takes neither the key nor the prompt of %s to another server', async (wire) => {
    const limits = { firstTokenMs: 5_000, thinkingMs: 5_000 };
    const provider = adapterFor('redirecting', simulatedConfig(wire, named.url), limits);
    for (const status of [301, 302, 303, 307, 308]) {
      redirectTo(status, other.url);
      const error = errorOf(await hear(provider, callOf(input)));
      expect(error).toMatchObject({ code: 'provider_connect_failed' });
      expect(error?.message).toMatch(/^The provider redirects to http:\S+; correct its baseUrl\.$/);
      expect(error?.message).toContain(other.url);
    }
    expect(other.arrived).toEqual([]);
  });

  test('within its server is followed where it keeps the body of the call', async () => {
    named.answer = ({ url = '' }, response) => {
      const [, rest] = url.split('/old', 2);
      if (rest !== undefined) response.writeHead(308, { location: `/new${rest}` }).end();
      else response.writeHead(429, { 'retry-after': '7' }).end();
    };
    const provider = adapterFor('moved', simulatedConfig('openai-chat', `${named.url}/old`));
    expect(errorOf(await hear(provider, callOf(input)))).toMatchObject({ code: 'provider_rate_limited' });
    expect(named.arrived).toHaveLength(2);
    expect(named.arrived[1]?.authorization).toBe(named.arrived[0]?.authorization);
  });

  test('without end is an error', async () => {
    redirectTo(307, '');
    const provider = adapterFor('circling', simulatedConfig('openai-chat', named.url));
    expect(errorOf(await hear(provider, callOf(input)))).toMatchObject({ code: 'provider_connect_failed' });
    expect(named.arrived.length).toBeLessThan(10);
  });

  test('of a download is followed to where the file is, without the key', async () => {
    redirectTo(302, other.url);
    other.answer = (_request, response) => response.end('{"line":1}');
    const link = createLink({}, { apiKey: 'k', connectMs: 1_000 }, signal);
    const headers = { 'x-api-key': 'k', authorization: 'Bearer k' };
    const answer = await link.fetch(`${named.url}/files/1/content`, { method: 'GET', headers });
    expect(await answer.text()).toBe('{"line":1}');
    expect(JSON.stringify(other.arrived)).not.toMatch(/"(?:x-api-key|authorization)"/);
  });

  test('takes no text of a call for embeddings to another server', async () => {
    redirectTo(307, other.url);
    const target = { provider: 'p', model: 'm', baseUrl: named.url, keys: ['k'], secrets: [] };
    const forwarded = await forwardEmbeddings(target, { model: 'p/m', input: 'x' });
    expect(forwarded).toMatchObject({
      error: { code: 'provider_connect_failed', message: expect.stringContaining('redirects to') },
      mayBeBilled: false,
    });
    expect(other.arrived).toEqual([]);
  });
});
